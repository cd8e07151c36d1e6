"""Which part of the window hears which other part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import theme

if TYPE_CHECKING:
    from app.main_window import MainWindow


def connect_parts(window: MainWindow) -> None:
    """Connect controls and panels to the commands, and the workspace to what shows it."""
    _connect_controls(window)
    _connect_presenters(window)
    _connect_workspace(window)


def _connect_controls(window: MainWindow) -> None:
    workspace, commands = window.workspace, window.commands
    window.actions_registry.triggered.connect(commands.do)
    window.find_button.clicked.connect(window.actions_registry["palette"].trigger)
    window.tabs.currentChanged.connect(window.on_tab)
    window.pair_bar.pair_changed.connect(window.on_pair)
    window.pair_bar.swap_requested.connect(window.actions_registry["swap"].trigger)
    window.pair_bar.class_changed.connect(window.on_class)
    window.pair_bar.layers_changed.connect(window.on_layers)
    window.navigator.intent.connect(window.entry_commands.do)
    window.navigator.models_selected.connect(window.on_models)
    window.navigator.model_hovered.connect(window.on_model_hovered)
    window.status_line.cancel_requested.connect(workspace.jobs.cancel)
    window.jobs_panel.cancel_requested.connect(workspace.jobs.cancel)
    window.jobs_panel.retry_requested.connect(commands.retry)
    window.jobs_panel.problem_requested.connect(commands.show_job_problem)
    window.inspector.image_activated.connect(commands.open_image)
    window.inspector.saliency_wished.connect(commands.pictures.show_image)
    window.inspector.relocation_wished.connect(window.actions_registry["relocate"].trigger)


def _connect_presenters(window: MainWindow) -> None:
    commands = window.commands
    for presenter in window.presenters.values():
        presenter.view_built.connect(window.layouts.on_view_built)
        presenter.wish.connect(commands.do)
        presenter.export_wished.connect(commands.export_view)
    for name, slot in (
        ("recent_chosen", commands.open_path),
        ("pair_opened", commands.open_layer_pair),
        ("compare_wished", commands.models.compare),
        ("units_wished", commands.models.show_units),
        ("projection_wished", commands.models.project),
        ("saliency_wished", commands.pictures.show_image),
        ("picture_export_wished", commands.pictures.export_view),
        ("picture_changed", window.update_actions),
        ("chosen_changed", window.inspector.show_chosen),
        ("pair_shown", window.inspector.show_layers),
        ("concept_wished", commands.concepts.save),
    ):
        for presenter in window.presenters.values():
            if hasattr(presenter, name):
                getattr(presenter, name).connect(slot)


def _connect_workspace(window: MainWindow) -> None:
    workspace = window.workspace
    workspace.session.changed.connect(window.on_session)
    workspace.index_changed.connect(window.on_index)
    workspace.classes_changed.connect(window.show_classes)
    workspace.project_changed.connect(window.on_project)
    workspace.focus.concept_changed.connect(window.inspector.show_concept)
    workspace.focus.unit_changed.connect(window.inspector.show_unit)
    workspace.focus.image_changed.connect(window.inspector.show_image)
    workspace.focus.example_changed.connect(window.inspector.show_example)
    workspace.jobs.changed.connect(window.on_job)
    workspace.jobs.added.connect(window.on_job)
    workspace.jobs.device_known.connect(window.status_line.set_device)
    workspace.jobs.busy_changed.connect(window.update_actions)
    workspace.undo.changed.connect(window.update_actions)
    workspace.lanes_closed.connect(window.on_lanes_closed)
    theme.theme().changed.connect(window.apply_style)
