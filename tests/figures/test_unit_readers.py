"""Units and profiles as figures and views get them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.figures.unit_readers import (
    profiles,
    threshold_sweep,
    unit_detail,
    unit_details,
    unit_table,
)
from tests.figures.made_audits import (
    FRAME,
    LAYER,
    MODELS,
    UNITS,
    add_dissection,
    add_embedding,
    disc,
    write_sources,
)


def test_units_are_in_the_order_of_the_run(audited):
    table = unit_table(audited.project, audited.dissection)
    assert list(dict.fromkeys(table.model)) == list(MODELS)
    assert list(table.unit[:UNITS]) == list(range(UNITS))
    assert (table.quantile, table.iou_threshold) == (0.01, 0.04)
    assert table.concept[0] == ""
    assert table.category[0] == "dead"
    assert np.isnan(table.iou[0])
    assert list(table.interpretable[:3]) == [False, False, True]
    assert table.iou[UNITS + 2] == pytest.approx(0.071)
    row = audited.project.row("SELECT * FROM unit WHERE id = ?", (int(table.unit_id[5]),))
    assert (row["model"], row["unit"]) == (table.model[5], table.unit[5])
    with pytest.raises(ValueError, match="read-only"):
        table.iou[0] = 1


def test_imported_units_have_no_null_and_no_threshold(audited):
    table = unit_table(audited.project, audited.imported)
    assert np.isnan(table.null_iou).all()
    assert np.isnan(table.threshold).all()
    assert np.isnan(table.quantile)
    assert table.category[0] == "failed threshold"
    detail = unit_detail(audited.project, int(table.unit_id[1]))
    assert detail.patches == ()
    assert detail.candidates == ()
    assert np.isnan(detail.null_iou)


def test_a_unit_has_its_candidates_its_images_and_their_masks(audited):
    project = audited.project
    unit = project.value(
        "SELECT id FROM unit WHERE run = ? AND model = 'ViT-S' AND unit = 5", (audited.dissection,)
    )
    detail = unit_detail(project, unit)
    assert (detail.model, detail.layer, detail.unit) == ("ViT-S", LAYER, 5)
    assert [candidate.concept for candidate in detail.candidates] == [detail.concept, "sky"]
    assert detail.candidates[1].iou == pytest.approx(detail.iou / 2)
    assert [patch.rank for patch in detail.patches] == [0, 1, 2]
    for patch in detail.patches:
        np.testing.assert_array_equal(patch.mask, disc(5, patch.rank))
        whole = FRAME.to_original(np.array([[0, 0, FRAME.crop, FRAME.crop]]), 40, 40)[0]
        assert patch.frame == tuple(whole.tolist())
        assert (patch.x, patch.y) == (patch.frame[0] + 1, patch.frame[1] + 2)
    assert detail.patches[0].activation == 9.5


def test_many_units_are_as_each_alone(audited):
    ids = [
        int(unit)
        for unit in unit_table(audited.project, audited.dissection).unit_id[[30, 2, 1, 17]]
    ]
    many = unit_details(audited.project, ids)
    assert [detail.unit_id for detail in many] == ids
    for unit_id, detail in zip(ids, many, strict=True):
        alone = unit_detail(audited.project, unit_id)
        assert (alone.model, alone.unit, alone.iou) == (detail.model, detail.unit, detail.iou)
        assert len(alone.patches) == len(detail.patches) == 3
    assert unit_details(audited.project, []) == ()


def test_masks_that_do_not_fit_are_refused_and_missing_ones_are_none(audited):
    project, run = audited.project, audited.dissection
    unit = int(unit_table(project, run).unit_id[3])
    with project.transaction() as connection:
        project.write_array(connection, run, f"masks/0/{LAYER}", np.zeros((3, 2), np.uint8))
    with pytest.raises(AuditError, match="do not fit together"):
        unit_detail(project, unit)
    with project.transaction() as connection:
        connection.execute("DELETE FROM array WHERE run = ?", (run,))
        connection.execute("UPDATE image SET width = NULL WHERE id = 1")
    detail = unit_detail(project, unit)
    assert {patch.mask is None for patch in detail.patches} == {True}
    assert {patch.frame[2] > 0 for patch in detail.patches} == {True}


def test_unknown_units_and_runs_say_so(audited):
    with pytest.raises(AuditError, match="no unit 4711"):
        unit_detail(audited.project, 4711)
    for read in (unit_table, profiles, threshold_sweep):
        with pytest.raises(AuditError, match="no run 99"):
            read(audited.project, 99)
    with pytest.raises(AuditError, match="no profiles"):
        profiles(audited.project, audited.evaluation)


def test_profiles_count_interpretable_units(audited):
    project, run = audited.project, audited.dissection
    data = profiles(project, run)
    rows = project.rows(
        "SELECT model, concept, category FROM unit WHERE run = ? AND interpretable", (run,)
    )
    expected = Counter(tuple(row) for row in rows)
    assert data.models == MODELS
    assert set(data.layers) == {LAYER}
    keys = list(zip(data.concepts, data.concept_categories, strict=True))
    assert ("food", "object") in keys
    assert ("food", "material") in keys
    assert data.categories == ("object", "part", "material", "color")
    for m, model in enumerate(data.models):
        for c, (concept, category) in enumerate(keys):
            assert data.units[m, c] == expected[model, concept, category]
    for j, category in enumerate(data.categories):
        of = [c for c, key in enumerate(keys) if key[1] == category]
        assert (data.all_units[:, j] == data.units[:, of].sum(axis=1)).all()
        assert (data.unique_concepts[:, j] == (data.units[:, of] > 0).sum(axis=1)).all()
    assert set(data.units_total) == {UNITS}
    assert set(data.not_counted) == {1}
    chosen = profiles(project, run, ["BYOL", "ViT-S"])
    assert chosen.models == ("BYOL", "ViT-S")
    assert chosen.all_units[1].sum() == data.all_units[1].sum()


def test_a_model_without_interpretable_units_stays_in_the_profiles(audited):
    project, run = audited.project, audited.dissection
    with project.transaction() as connection:
        connection.execute("DELETE FROM profile WHERE model = 'ViT-S'")
    data = profiles(project, run)
    assert data.models == MODELS
    assert data.all_units[1].sum() == 0
    assert data.units_total[1] == UNITS


def test_profiles_of_an_embedding_come_from_its_sources_at_its_threshold(audited):
    project = audited.project
    same = profiles(project, audited.embedding)
    assert same.models == MODELS
    dissected = profiles(project, audited.dissection)
    np.testing.assert_array_equal(same.units, dissected.units)
    strict = add_embedding(project, MODELS[:3], sources=[audited.dissection], iou_threshold=0.1)
    data = profiles(project, strict)
    assert data.models == MODELS[:3]
    expected = project.value(
        "SELECT COUNT(*) FROM unit WHERE run = ? AND model = ? AND iou > 0.1 AND iou > null_iou",
        (audited.dissection, MODELS[0]),
    )
    assert data.all_units[0].sum() == expected < dissected.all_units[0].sum()


def test_an_embedding_keeps_to_what_it_recorded(audited):
    project = audited.project
    before = profiles(project, audited.embedding)
    newer = add_dissection(project, MODELS[:2], layer="other")
    assert profiles(project, audited.embedding).layers == before.layers == (LAYER,) * len(MODELS)
    write_sources(project, audited.embedding, MODELS, [audited.dissection, newer])
    assert profiles(project, audited.embedding).layers[:3] == ("other", "other", LAYER)
    project.delete_run(newer)
    assert profiles(project, audited.embedding).models == MODELS[2:]
    with project.transaction() as connection:  # what no version wrote
        project.write_array(connection, audited.embedding, "embedding/sources", np.arange(3))
    assert profiles(project, audited.embedding).models == MODELS


def test_an_embedding_without_sources_is_of_the_newest_dissection(audited):
    project = audited.project
    newer = add_dissection(project, MODELS[:2], layer="other")
    plain = add_embedding(project, MODELS[:3])
    assert profiles(project, plain).layers == ("other", "other", LAYER)
    asked = add_embedding(project, MODELS[:3], dissection=f"{audited.dissection}, {newer}")
    assert profiles(project, asked).layers == ("other", "other", LAYER)
    old = add_embedding(project, MODELS[:3], dissection=str(audited.dissection))
    assert profiles(project, old).layers == (LAYER,) * 3
    layer = add_embedding(project, MODELS[:3], layer=LAYER)
    assert profiles(project, layer).layers == (LAYER,) * 3


def test_sweeps_are_ordered(audited):
    data = threshold_sweep(audited.project, audited.dissection)
    first = data.model == MODELS[0]
    assert list(data.quantile[first]) == sorted(data.quantile[first])
    assert list(data.iou_threshold[first][:3]) == [0.02, 0.04, 0.06]
    assert (data.run_quantile, data.run_iou_threshold) == (0.01, 0.04)
    assert len(threshold_sweep(audited.project, audited.imported).units) == 0


def test_damaged_parameters_are_unknown_ones(audited):
    with audited.project.transaction() as connection:
        connection.execute(
            'UPDATE run SET parameters = \'{"quantile": "x", "resize": null}\' WHERE id = ?',
            (audited.dissection,),
        )
    table = unit_table(audited.project, audited.dissection)
    assert np.isnan(table.quantile)
    detail = unit_detail(audited.project, int(table.unit_id[4]))
    assert detail.patches[0].mask is None
