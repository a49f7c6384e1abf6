"""Recipes say by their signature what they take; bindings are checked where they are written."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Annotated, Any, Optional

import pytest
import xarray as xr

from sciqlop_pipe.datatypes import VDF, Events, Moments, ScalarSeries, VectorSeries
from sciqlop_pipe.errors import GraphError, PipeError, UnknownName
from sciqlop_pipe.granule import SECOND, Interval
from sciqlop_pipe.model import Margin, Mission, Recipe, product, raw, recipe
from sciqlop_pipe.recipe import RESERVED
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.sources.files import FileSource
from tests.toy import doubled, doubled_anew


@recipe(gives=Moments, version=3, gaps_ok=True)
def combined(
    vdf: VDF,
    b: Annotated[VectorSeries | None, Margin("2s"), Margin("window")] = None,
    *,
    bins: int = 18,
    window: str = "4s",
    limit: float = 1,
    smooth: bool = False,
) -> xr.Dataset:
    """What the first line says.

    And more.
    """
    return vdf


def declared(fn: Callable[..., Any], gives: Any = ScalarSeries) -> Recipe:
    return recipe(gives=gives, version=1)(fn)


def refusal(fn: Callable[..., Any], gives: Any = ScalarSeries) -> str:
    with pytest.raises(GraphError) as found:
        declared(fn, gives)
    return str(found.value)


class TestARecipeIsItsSignature:
    def test_positional_arguments_are_inputs(self) -> None:
        vdf, b = combined.takes
        assert (vdf.name, vdf.datatype, vdf.required, vdf.margins) == ("vdf", VDF, True, ())
        assert (b.name, b.datatype, b.required) == ("b", VectorSeries, False)
        assert b.margins == (Margin("2s"), Margin("window"))

    def test_keyword_arguments_are_params_of_the_type_they_are_annotated_with(self) -> None:
        assert {p.name: (p.type, p.default) for p in combined.params} == {
            "bins": (int, 18), "window": (str, "4s"), "limit": (float, 1.0), "smooth": (bool, False),
        }  # fmt: skip

    def test_it_is_named_and_described_by_its_function(self) -> None:
        assert (combined.name, combined.summary) == ("combined", "What the first line says.")
        assert (combined.gives, combined.version, combined.gaps_ok) == (Moments, 3, True)

    def test_it_is_called_like_the_function(self) -> None:
        ds = xr.Dataset()
        assert combined(ds) is ds

    def test_optional_of_typing_means_the_same(self) -> None:
        def fn(x: Optional[VDF] = None) -> None: ...  # noqa: UP045

        assert not declared(fn).takes[0].required

    def test_a_model_is_given_by_the_engine(self) -> None:
        def fn(x: ScalarSeries, *, model: object) -> None: ...

        made = declared(fn)
        assert made.needs_model
        assert made.params == ()


class TestASignatureThatSaysTooLittleIsRefused:
    def test_an_input_without_a_type(self) -> None:
        def fn(x) -> None: ...  # type: ignore[no-untyped-def]

        assert "annotated None, which is not a DataType" in refusal(fn)

    def test_an_input_of_either_of_two_types(self) -> None:
        def fn(x: VDF | Moments) -> None: ...

        with pytest.raises(TypeError):
            declared(fn)

    def test_an_optional_input_without_the_default_none(self) -> None:
        def fn(x: VDF | None) -> None: ...

        assert "input x must have the default None" in refusal(fn)
        assert "'x: VDF | None = None'" in refusal(fn)

    def test_a_required_input_with_a_default(self) -> None:
        def fn(x: VDF = None) -> None: ...  # type: ignore[assignment]

        assert "input x must have no default" in refusal(fn)

    def test_a_param_without_a_plain_default(self) -> None:
        def none(x: VDF, *, bins: int) -> None: ...

        def many(x: VDF, *, bins: list[int] = [1]) -> None: ...  # noqa: B006

        for fn in (none, many):
            assert "param bins needs a default" in refusal(fn)

    def test_a_param_whose_default_has_another_type(self) -> None:
        def fn(x: VDF, *, bins: int = 1.5) -> None: ...  # type: ignore[assignment]

        assert "param bins is annotated int, its default is 1.5" in refusal(fn)

    def test_any_number_of_inputs(self) -> None:
        def fn(*x: VDF) -> None: ...

        assert "input *x" in refusal(fn)

    @pytest.mark.parametrize("word", RESERVED)
    def test_an_argument_named_like_one_of_product(self, word: str) -> None:
        namespace: dict[str, Any] = {"VDF": VDF}
        exec(f"def fn(x: VDF, *, {word}=1): ...", namespace)
        assert f"'{word}' is a word of product() itself" in refusal(namespace["fn"])

    def test_events_without_their_granule(self) -> None:
        def fn(x: VDF, *, dataset: str) -> None: ...

        assert "must take interval" in refusal(fn, Events)

    def test_a_granule_for_anything_but_events(self) -> None:
        def fn(x: VDF, *, interval: Interval) -> None: ...

        assert "must not depend on how time is cut" in refusal(fn)


def test_the_reserved_words_are_the_arguments_of_product() -> None:
    assert (*inspect.signature(product).parameters,) == (*RESERVED, "bindings")


class TestBindings:
    def test_params_have_their_default_or_what_is_bound(self) -> None:
        made = product("sim.x", combined, vdf="sim.ion.vdf", bins=36, limit=2)
        assert dict(made.params) == {"bins": 36, "window": "4s", "limit": 2.0, "smooth": False}
        assert made.code == "combined@3 Moments@1"
        assert made.description == "What the first line says."

    def test_margins_follow_the_params_they_name(self) -> None:
        made = product("sim.x", combined, vdf="sim.ion.vdf", b="sim.b", window="10s")
        assert made.margin("vdf") == 0
        assert made.margin("b") == 12 * SECOND

    def test_inputs_are_in_the_order_of_the_recipe(self) -> None:
        made = product("sim.x", combined, b="sim.b", vdf="sim.ion.vdf")
        assert made.inputs == (("vdf", "sim.ion.vdf"), ("b", "sim.b"))

    @pytest.mark.parametrize(
        ("bindings", "kind", "words"),
        [
            ({"vdf": "a.b", "bin": 3}, UnknownName, "no input or param 'bin'. Did you mean bins"),
            ({"vdf": "a.b", "bins": "many"}, GraphError, "param bins of recipe combined is 'many'"),
            ({"vdf": "a.b", "bins": True}, GraphError, "is True, expected int"),
            ({"vdf": "a.b", "limit": "1"}, GraphError, "expected float"),
            ({"vdf": "a.b", "smooth": 1}, GraphError, "expected bool"),
            ({"b": "a.b"}, GraphError, "input 'vdf' (VDF) of recipe combined is not bound"),
            ({"vdf": 5}, GraphError, "argument vdf: expected the name of a VDF, found 5"),
            ({"vdf": "a.b", "model": "regions"}, GraphError, "takes no model"),
        ],
    )  # fmt: skip
    def test_a_wrong_one_is_refused_with_product_and_argument(
        self, bindings: dict[str, Any], kind: type[PipeError], words: str
    ) -> None:
        with pytest.raises(kind) as found:
            product("sim.x", combined, **bindings)
        assert "product sim.x" in str(found.value)
        assert words in str(found.value)

    def test_a_recipe_with_a_model_must_get_one(self) -> None:
        def fn(x: ScalarSeries, *, model: object) -> None: ...

        with pytest.raises(GraphError, match="needs a trained model"):
            product("sim.x", declared(fn), x="sim.y")

    def test_an_empty_optional_input_is_no_binding(self) -> None:
        assert product("sim.x", combined, vdf="sim.ion.vdf").inputs == (("vdf", "sim.ion.vdf"),)


class TestPickling:
    """A worker imports a recipe by its name, and so finds numba's cache."""

    def test_by_name_where_there_is_one(self) -> None:
        for made in (moments, doubled):
            text = pickle.dumps(made)
            assert pickle.loads(text) is made
            assert len(text) < 200

    def test_a_dataset_carries_its_recipe_by_name(self) -> None:
        made = product("sim.x", moments, vdf="sim.ion.vdf")
        again = pickle.loads(pickle.dumps(made))
        assert again == made
        assert again.recipe is moments

    def test_a_name_that_belongs_to_another_recipe_is_not_used(self) -> None:
        import cloudpickle

        newer = recipe(gives=ScalarSeries, version=7)(doubled.fn)
        again = cloudpickle.loads(cloudpickle.dumps(newer))
        assert (again.version, again.name, again.takes) == (7, "doubled", doubled.takes)
        assert pickle.loads(pickle.dumps(doubled_anew)) is doubled_anew

    def test_by_value_where_there_is_no_name(self) -> None:
        import cloudpickle

        def inner(x: ScalarSeries, *, factor: float = 2.0) -> xr.Dataset:
            return x * factor

        again = cloudpickle.loads(cloudpickle.dumps(declared(inner)))
        assert again.params == declared(inner).params
        assert again(3.0) == 6.0


class TestMissions:
    def test_a_mission_holds_datasets_and_facts(self) -> None:
        one = raw("sim.y", ScalarSeries, FileSource("{start:%Y}.cdf", _nothing), granule="1d")
        found = Mission("sim", [one], title="Simulated", archives=["https://example.org"])
        assert found.datasets == (one,)
        assert found.archives == ("https://example.org",)

    def test_a_tuple_that_was_not_unpacked_is_noticed(self) -> None:
        one = raw("sim.y", ScalarSeries, FileSource("{start:%Y}.cdf", _nothing), granule="1d")
        with pytest.raises(GraphError, match=r"mission sim: expected datasets, found a tuple.*\*"):
            Mission("sim", [(one,)])  # type: ignore[list-item]


def _nothing(cdf: object) -> xr.Dataset:
    return xr.Dataset()
