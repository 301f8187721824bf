"""The programs of docs/howto/web.rst, under the servers that run them, as processes with workers of their own."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

import gossip
from gossip.security import Keyring
from tests.contrib.servers import PATIENCE_S, Server, following, running, server, until_told
from tests.node.nodes import local_node
from tests.rst import ROOT, blocks, document

PROGRAMS = {block.name: block.text for block in blocks(document("docs/howto/web.rst")) if block.name}

DJANGO_SETTINGS = """\
SECRET_KEY = "a test"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "urls"
"""

DJANGO_URLS = """\
from django.urls import path
import views
urlpatterns = [path("peers", views.peers)]
"""

DJANGO_BLOCKING_VIEWS = """\
from django.http import JsonResponse
import cluster

def peers(request):
    living = [member.name for member in cluster.node.members() if member.status.is_living]
    return JsonResponse(living, safe=False)
"""

DJANGO_WSGI = """\
import os
from django.core.wsgi import get_wsgi_application
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
application = get_wsgi_application()
"""

UVICORN = ["uvicorn", "--fd", "FD"]
GUNICORN = ["gunicorn", "--bind", "fd://FD", "--worker-class", "uvicorn_worker.UvicornWorker"]

FILE_BROKER = """\
broker="filesystem://", backend="file://results", broker_connection_retry_on_startup=True,
broker_transport_options={"data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"}
"""
"""A broker of Celery that needs no server, and where results go."""


def needs(*modules: str) -> pytest.MarkDecorator:
    """Skip a test where a module is missing: the extra web-test has all of them."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    return pytest.mark.skipif(bool(missing), reason=f"pip install 'gossip-membership[web-test]': no {missing}")


@asynccontextmanager
async def watcher(folder: Path, *programs: str, **others: str) -> AsyncIterator[gossip.Node]:
    """A member with a fixed port: the seed of the programs, which are written to a folder with their keys."""
    keyring = Keyring.of(gossip.Key.generate("chacha20-poly1305"))
    keyring.save(folder / "cluster.keys")
    async with local_node("watcher", keyring=keyring, config=gossip.Config.lan()) as node:
        for name in programs:
            text = PROGRAMS[name].replace("gossip.example.org:7946", str(node.address))
            (folder / name).write_text(text.replace("0.0.0.0:0", "127.0.0.1:0"), encoding="utf-8")
        for stem, text in others.items():
            (folder / f"{stem}.py").write_text(text, encoding="utf-8")
        yield node


def workers(node: gossip.Node) -> dict[int, gossip.Status]:
    """The workers that a node has seen, by their pids, which are in their names."""
    found = {member.name: member.status for member in node.members() if member.name != "watcher"}
    return {int(name.rpartition("-")[2]): status for name, status in found.items()}


def living(node: gossip.Node) -> set[int]:
    """The pids of the workers that are alive in the eyes of a node."""
    return {pid for pid, status in workers(node).items() if status.is_living}


async def seen(node: gossip.Node, condition: Callable[[gossip.Node], bool]) -> None:
    """Wait until a node sees something."""
    with trio.fail_after(PATIENCE_S):
        await node.until(condition)


async def all_know_each_other(served: Server, count: int) -> None:
    """Wait until an answer of the application shows so many workers and the watcher."""
    with trio.fail_after(PATIENCE_S):
        while len((await served.client.get("/peers")).json()) != count + 1:  # noqa: ASYNC110
            await trio.sleep(0.02)  # nothing tells when a worker sees others


async def assert_a_killed_worker_is_noticed_and_the_others_leave(served: Server, node: gossip.Node) -> None:
    """Kill a worker; then stop the server in order."""
    victim = min(living(node))
    os.kill(victim, signal.SIGKILL)
    await seen(node, lambda node: workers(node)[victim] is gossip.Status.DEAD)
    await seen(node, lambda node: len(living(node)) == 2)  # the server has started another one
    others = living(node)
    await all_know_each_other(served, 2)
    served.process.terminate()
    await served.stopped()
    assert {workers(node)[pid] for pid in others} == {gossip.Status.LEFT}


@needs("fastapi", "gunicorn", "uvicorn_worker")
@pytest.mark.parametrize("command", [UVICORN, GUNICORN], ids=["uvicorn", "gunicorn"])
async def test_fastapi_ends_its_streams_and_leaves_when_its_server_is_told_to_stop(
    command: list[str], tmp_path: Path
) -> None:
    routes = "\nfrom gossip.contrib.starlette import membership_routes\napp.routes.extend(membership_routes())\n"
    async with watcher(tmp_path, "app.py") as node:
        (tmp_path / "more.py").write_text("from app import app" + routes)
        async with server(tmp_path, *command, "more:app") as served:
            await all_know_each_other(served, 1)
            assert (await served.client.get("/readyz")).status_code == 200
            async with following(served.client) as items:
                (worker,) = living(node)
                node.update({"release": "2"})
                await until_told(items, "updated", "watcher")
                served.process.terminate()
                async for _ in items:
                    pass
                await served.stopped()
            assert workers(node) == {worker: gossip.Status.LEFT}
            assert "Traceback" not in (tmp_path / "output.log").read_text("utf-8")


@needs("fastapi")
@pytest.mark.parametrize("name", ["whole.py", "admin.py"])
async def test_applications_that_are_shown_in_part_run(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(PROGRAMS[name])
    async with server(
        tmp_path, "uvicorn", f"{name.removesuffix('.py')}:app", "--fd", "FD", "--lifespan", "on"
    ) as served:
        response = await served.client.get("/cluster/members", headers={"x-token": "wrong"})
        assert response.status_code == {"whole.py": 404, "admin.py": 403}[name]
        served.process.terminate()
        await served.stopped()


@needs("fastapi")
async def test_fastapi_under_uvicorn_with_several_workers(tmp_path: Path) -> None:
    async with (
        watcher(tmp_path, "app.py") as node,
        server(tmp_path, "uvicorn", "app:app", "--fd", "FD", "--workers", "2") as served,
    ):
        await all_know_each_other(served, 2)
        await assert_a_killed_worker_is_noticed_and_the_others_leave(served, node)


@needs("fastapi", "gunicorn", "uvicorn_worker")
async def test_fastapi_under_gunicorn_with_several_workers(tmp_path: Path) -> None:
    command = [*GUNICORN, "--workers", "2", "app:app"]
    async with watcher(tmp_path, "app.py") as node, server(tmp_path, *command) as served:
        await all_know_each_other(served, 2)
        await assert_a_killed_worker_is_noticed_and_the_others_leave(served, node)


@needs("flask", "gunicorn")
@pytest.mark.parametrize("worker_class", ["sync", "gthread"])
async def test_flask_under_gunicorn(tmp_path: Path, worker_class: str) -> None:
    options = ["--bind", "fd://FD", "--workers", "2", "--worker-class", worker_class]
    async with (
        watcher(tmp_path, "cluster.py", "gunicorn.conf.py", "flask_app.py") as node,
        server(tmp_path, "gunicorn", *options, "flask_app:app") as served,
    ):
        await all_know_each_other(served, 2)
        await assert_a_killed_worker_is_noticed_and_the_others_leave(served, node)


@needs("django", "gunicorn")
async def test_django_under_gunicorn(tmp_path: Path) -> None:
    others = {"settings": DJANGO_SETTINGS, "urls": DJANGO_URLS, "views": DJANGO_BLOCKING_VIEWS, "wsgi": DJANGO_WSGI}
    async with watcher(tmp_path, "cluster.py", "gunicorn.conf.py", **others) as node:
        options = ["--bind", "fd://FD", "--workers", "2"]
        async with server(tmp_path, "gunicorn", *options, "wsgi:application") as served:
            await all_know_each_other(served, 2)
            await assert_a_killed_worker_is_noticed_and_the_others_leave(served, node)


@needs("django")
async def test_django_under_uvicorn(tmp_path: Path) -> None:
    others = {"settings": DJANGO_SETTINGS, "urls": DJANGO_URLS}
    async with (
        watcher(tmp_path, "asgi.py", "views.py", **others) as node,
        server(tmp_path, "uvicorn", "asgi:application", "--fd", "FD") as served,
    ):
        await all_know_each_other(served, 1)
        assert (await served.client.get("/livez")).json()["live"] is True
        (worker,) = living(node)
        served.process.terminate()
        await served.stopped()
        assert workers(node) == {worker: gossip.Status.LEFT}


def run_task(folder: Path) -> list[str]:
    """Have a worker of Celery say whom it knows, until that is everybody."""
    ask = "import tasks\nwhile len(found := tasks.peers.delay().get(timeout=20)) < 3: pass\nprint(*found)"
    environment = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=folder, env=environment, capture_output=True, text=True, check=False,
        timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@asynccontextmanager
async def celery(folder: Path) -> AsyncIterator[tuple[gossip.Node, trio.Process]]:
    """Celery with two worker processes, and a member that sees both."""
    for name in ("queue", "control", "results"):
        (folder / name).mkdir()
    async with watcher(folder, "cluster.py", "tasks.py") as node:
        tasks = re.sub(r'broker="amqp.*"', FILE_BROKER.strip(), (folder / "tasks.py").read_text("utf-8"))
        (folder / "tasks.py").write_text(tasks, encoding="utf-8")
        async with running(folder, ["celery", "--app", "tasks", "worker", "--concurrency", "2"]) as process:
            await seen(node, lambda node: len(living(node)) == 2)
            yield node, process


@needs("celery")
async def test_the_tasks_of_celery_know_the_workers_which_leave_when_it_is_told_to_stop(tmp_path: Path) -> None:
    async with celery(tmp_path) as (node, process):
        peers = await trio.to_thread.run_sync(run_task, tmp_path)
        assert sorted(int(name.rpartition("-")[2]) for name in peers if name != "watcher") == sorted(living(node))
        process.terminate()
        with trio.fail_after(PATIENCE_S):
            await process.wait()
        assert set(workers(node).values()) == {gossip.Status.LEFT}


@needs("celery")
async def test_a_worker_of_celery_that_is_killed_is_noticed_and_another_one_takes_its_place(tmp_path: Path) -> None:
    async with celery(tmp_path) as (node, _):
        victim = min(living(node))
        os.kill(victim, signal.SIGKILL)
        await seen(node, lambda node: workers(node)[victim] is gossip.Status.DEAD and len(living(node)) == 2)
        # Celery may not stop any more: with this broker, the victim may have held the lock that the others wait for.
