// A short code goes to the next line whole: broken at a hyphen, `--json` would be two words. CSS knows no lengths.
for (const code of document.querySelectorAll(".md-content :not(pre) > code")) {
  if (code.textContent.length <= 24) code.style.whiteSpace = "nowrap";
}
