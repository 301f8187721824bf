"""A member to which nothing gets through: how it is measured, and real nodes behind a filter of packets."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from benchmarks.simulation.deaf import main, seen, simulated
from tests.benchmarks.test_namespace import inside


def test_what_the_others_were_told_is_summed_up() -> None:
    told = [("a", "died", 103.0), ("b", "died", 104.5), ("a", "restored", 106.0), ("a", "died", 107.0)]
    one = seen(3, told, 100.0, 0.5)
    assert (one.verdict_s, one.died, one.restored, one.back_s) == (4.5, 1.5, 0.5, 0.5)
    assert seen(4, told, 100.0, None).verdict_s is None, "one of three others never knew"


def test_a_simulated_deaf_member_is_told_to_have_died_once_and_is_back_in_time() -> None:
    one = simulated(5, 60.0, 0)
    assert one.verdict_s is not None
    assert one.back_s is not None
    assert one.verdict_s < 12
    assert one.died == 1
    assert one.back_s < 2


def test_the_command_prints_a_row_for_each_run() -> None:
    done = CliRunner().invoke(main, ["--nodes", "2,3", "--minutes", "0.3", "--runs", "2"])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) == 1 + 4


@pytest.mark.benchmark  # waits for real time to pass
def test_real_nodes_find_a_member_dead_once_to_which_packets_are_dropped_and_see_it_back_at_once() -> None:
    told = inside("""
        import trio
        import gossip
        from gossip.core.state import hearing

        hearing.HEARING_S = 1.0  # so that the test need not wait

        def opened(number, **options):
            bind = f"10.1.0.{number}:7000"
            return gossip.open_node(f"n{number}", bind=bind, config=gossip.Config.local(), insecure=True, **options)

        async def sees(node, status):
            while node.get("n2").status.value != status:
                await trio.sleep(0.02)

        def told_of_life_and_death(change):
            was_dead = change.previous is gossip.Status.DEAD
            return change.kind is gossip.EventKind.DIED or (change.kind is gossip.EventKind.RESTORED and was_dead)

        async def main():
            async with opened(1) as one, opened(2, seeds=["10.1.0.1:7000"]) as two, opened(
                3, seeds=["10.1.0.1:7000"]
            ) as three:
                while not one.alive == two.alive == three.alive == 3:
                    await trio.sleep(0.02)
                with one.subscribe() as changes:
                    with namespace.unreachable("10.1.0.2"), trio.fail_after(30):
                        await sees(one, "dead")
                        await sees(three, "dead")
                        await trio.sleep(3)
                    with trio.fail_after(10):
                        await sees(one, "alive")
                        await sees(three, "alive")
                    with trio.move_on_after(0.1):
                        async for change in changes:
                            if isinstance(change, gossip.MembershipEvent) and told_of_life_and_death(change):
                                print(change.kind.value, change.member.name)

        trio.run(main)
    """)
    assert told == ["died n2", "restored n2"]
