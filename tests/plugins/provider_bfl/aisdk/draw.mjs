// Draws and changes a picture with another client of the service, and prints what it got.
import { createBlackForestLabs } from "@ai-sdk/black-forest-labs";

const { baseURL, apiKey, calls } = JSON.parse(process.argv[2]);
const provider = createBlackForestLabs({ apiKey, baseURL });
for (const { model, ...call } of calls) {
  try {
    const answer = await provider.image(model).doGenerate({ n: 1, providerOptions: {}, ...call });
    const [told] = answer.providerMetadata.blackForestLabs.images;
    console.log(JSON.stringify({ image: Buffer.from(answer.images[0]).toString("base64"), ...told }));
  } catch (error) {
    console.log(JSON.stringify({ status: error.statusCode ?? null, message: error.message }));
  }
}
