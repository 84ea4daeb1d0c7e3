"""The class that tests of a provider inherit: its checks are all of `checks/`, and its grade is told at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest

from g4f import G4FError
from g4f_testkit.checks.capabilities import CapabilityChecks
from g4f_testkit.checks.chat import ChatChecks
from g4f_testkit.checks.faults import FaultChecks
from g4f_testkit.checks.keys import KeyChecks
from g4f_testkit.checks.life import LifeChecks
from g4f_testkit.checks.pictures import PictureChecks
from g4f_testkit.checks.refusals import RefusalChecks
from g4f_testkit.claims import GRADES, Grade, read_claim
from g4f_testkit.dialect import Dialect
from g4f_testkit.kit import Kit
from g4f_testkit.properties import CLAIM, GRADE
from g4f_testkit.server import Server
from g4f_testkit.subject import Subject, make_subject


class ProviderConformance(
    ChatChecks, CapabilityChecks, PictureChecks, RefusalChecks, LifeChecks, FaultChecks, KeyChecks
):
    """The checks of one provider.

        class TestMine(ProviderConformance):
            provider = "Mine"

    Attributes:
        provider: The name of an installed provider, or a class or object.
        dialect: What the server speaks: a name, `path.py:Class`, or an object; None is what the manifest says.
        model: The model that every check asks for; None is what the manifest names.
        client_options: Further arguments of the client that asks.
        aim: The highest grade that is tried for; checks for a higher one are left out, which saves their time.
    """

    provider: ClassVar[Any] = None
    dialect: ClassVar[str | Dialect | None] = None
    model: ClassVar[str | None] = None
    client_options: ClassVar[Mapping[str, Any]] = {}
    aim: ClassVar[Grade] = "gold"

    @classmethod
    @cache
    def make_subject(cls) -> Subject:
        """Load the provider, once."""
        return make_subject(cls.provider, cls.dialect, cls.model)

    @classmethod
    def _load_subject(cls) -> Subject:
        try:
            return cls.make_subject()
        except G4FError as error:
            if error.__cause__ is not None:
                raise  # the provider's own code, whose lines its author wants to see
            pytest.fail(str(error), pytrace=False)

    @pytest.fixture
    def kit(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
        """What a check works with; one that does not apply is skipped here."""
        subject = self._load_subject()
        with ExitStack() as stack:
            server = None if subject.dialect is None else stack.enter_context(Server(subject.dialect))
            kit = Kit(subject, server, tmp_path, self.client_options)
            claim = read_claim(request.function)
            if claim is not None:
                grade = kit.grade(claim)
                request.node.user_properties.append((GRADE, grade))
                if subject.manifest.grade and (server is not None or not subject.manifest.base_url):
                    request.node.user_properties.append((CLAIM, subject.manifest.grade))
                if GRADES.index(grade) > GRADES.index(self.aim):
                    pytest.skip(f"The aim is {self.aim}.")
                kit.skip_unless_it_applies(claim)
            yield kit
            if server is not None and server.failures:
                raise server.failures[0]
