"""The packets of a replay, in the thread that reads it: cut, held until they are due, and handed on."""

from __future__ import annotations

from collections.abc import Iterator

from neuroclip_drivers import replay_cutting as cutting
from neuroclip_drivers.files.event_file import EventFile
from neuroclip_drivers.replay_playhead import Playhead, Target
from neuroclip_drivers.replay_side import HandOn
from neuroclip_live.events import Packet, copy_packet, empty_packet


class Reading:
    """Plays a recording from place to place, as its playhead says.

    Parameters
    ----------
    recording : EventFile
    head : Playhead
        Commanded from other threads meanwhile.
    beside : HandOn
        Hands on what the recording holds beside the events.
    """

    def __init__(self, recording: EventFile, head: Playhead, beside: HandOn) -> None:
        self._recording, self._head, self._beside = recording, head, beside

    def packets(self) -> Iterator[Packet]:
        """Yield packets of at most 65,536 events and, when paced, 10 ms of real time."""
        head = self._head
        target = head.begin()
        while not head.closed:
            given = 0
            for packet in self._play(target):
                given += len(packet)
                yield packet
            following = head.next_target()
            if head.ended:
                return
            if following is None:
                while head.paused and not head.interrupted:
                    yield self._nothing()
                following = head.take_target()
            elif following.again and not given:
                yield self._nothing()  # it must not spin
            target = following

    def _play(self, target: Target) -> Iterator[Packet]:
        """Play from a place to the end of the part, or until the next is asked for."""
        recording, head, to_us = self._recording, self._head, target.to_us
        lead = head.go_to(target)
        from_us = to_us
        if target.leads:
            from_us = cutting.start_of(recording, lead, to_us, lambda: head.interrupted)
        # where what steps back over the beginning is told, too: the first event after it may come before
        skipping = begins = not target.leads and to_us > recording.first_us
        from_us -= cutting.STEP_BACK_US if begins else 0
        self._beside.begin(to_us)
        batches = recording.read_placed(None if from_us <= recording.first_us else from_us)
        for batch, places, after in cutting.with_places_after(
            batches, lambda: head.speed is not None or head.part.ends_early or begins
        ):
            done, ordered = 0, None if head.speed is None else cutting.is_ordered(places)
            while done < len(batch):
                if head.interrupted:
                    return
                stop = cutting.cut(places, done, to_us, head.speed, ordered)
                following = cutting.coming(places, stop, after)
                if skipping:
                    first = cutting.first_after(places[done:stop], following, to_us)
                    if first is None:
                        done = stop
                        continue
                    done, skipping = done + first, False
                over = None
                if head.part.ends_early:
                    over = cutting.first_after(places[done:stop], following, head.part.end_us)
                    if over == 0:
                        yield from self._finish(head.part.end_us)
                        return
                stop = stop if over is None else done + over
                packet = batch if stop - done == len(batch) else copy_packet(batch[done:stop])
                last = cutting.reached(int(places[stop - 1]), following)
                if head.part.ends_early:
                    last = min(last, head.part.end_us)
                head.follow_back(places[done:stop], following)
                done = stop
                if last >= to_us:
                    if not head.jump.given:
                        yield self._told_given()
                    yield from self._hold_until(last)
                    if head.interrupted:
                        return
                if head.jump.given:
                    yield from self._beside.until(last)
                yield packet
                head.came_to(last, to_us)
        if not head.jump.given and not head.interrupted:
            yield self._told_given()
        yield from self._finish(head.part.end_us if head.part.ends_early else None)

    def _finish(self, end_us: int | None) -> Iterator[Packet]:
        """Play the silence up to the end of the part, and hand on what else belongs to it."""
        yield from self._hold_until(self._head.part.end_us)
        if not self._head.interrupted:
            before = self._beside.handed_on
            yield from self._beside.until(end_us)
            if self._beside.handed_on > before:
                yield empty_packet()  # so that it is taken

    def _told_given(self) -> Packet:
        self._head.all_given()
        return empty_packet()

    def _hold_until(self, t_us: int) -> Iterator[Packet]:
        """Yield empty packets until the place ``t_us`` is due, while not interrupted."""
        head, waited = self._head, False
        while not head.interrupted and not head.is_due(t_us, wait=not waited):
            if waited:
                if head.jump.given:
                    yield from self._beside.until(head.position_us)
                yield empty_packet()
            waited = not waited

    def _nothing(self) -> Packet:
        self._head.wait_for_command()
        return empty_packet()
