"""Mustpass, groups, fractions and skips."""

import re

from scenario import FENCE, ScenarioTest, fences
from unittest_results import main
from vkcts import case_lists
from vkcts.errors import InputError
from vkcts.groups import GROUPS, WAYLAND, choose_groups


def names(words):
    return [group.name for group in choose_groups(words)]


class MustpassTest(ScenarioTest):
    def setUp(self):
        super().setUp()
        (self.folder / "vk-default").mkdir()
        self.root = self.folder / "vk-default.txt"
        self.root.write_text("vk-default/api.txt\nvk-default/wsi.txt\n")
        (self.folder / "vk-default" / "api.txt").write_text("dEQP-VK.api.b\ndEQP-VK.api.a\n")
        (self.folder / "vk-default" / "wsi.txt").write_text("dEQP-VK.wsi.x\r\n\n")

    def test_FolderFileAndList(self):
        expected = ["dEQP-VK.api.b", "dEQP-VK.api.a", "dEQP-VK.wsi.x"]
        self.assertEqual(case_lists.load_mustpass(self.folder), expected)
        self.assertEqual(case_lists.load_mustpass(self.root), expected)
        self.assertEqual(case_lists.load_mustpass(self.folder / "vk-default" / "api.txt"), expected[:2])

    def test_CtsCheckout(self):
        inside = self.folder / "cts/external/vulkancts/mustpass/main"
        inside.mkdir(parents=True)
        (inside / "vk-default.txt").write_text("dEQP-VK.a\n")
        self.assertEqual(case_lists.load_mustpass(self.folder / "cts"), ["dEQP-VK.a"])

    def test_BadListsAreNamed(self):
        bad = self.folder / "bad.txt"
        for text, message in (("vk-default/none.txt\n", "none.txt"), ("not a case\n", "bad.txt:1"), ("", "no cases"),
                              ("bad.txt\n", "names itself"), ("\x00\n", "bad.txt:1")):
            with self.subTest(text):
                bad.write_text(text)
                with self.assertRaisesRegex(InputError, message):
                    case_lists.load_mustpass(bad)
        with self.assertRaisesRegex(InputError, "vk-default.txt"):
            case_lists.load_mustpass(self.records)

    def test_WithoutMustpassDeqpVkIsAsked(self):
        self.script(fences(3) + ["dEQP-VK.api.smoke.triangle"])
        arguments = [word for word in self.run_arguments() if word not in ("--mustpass", str(self.mustpass))]
        self._do(arguments, 0, {})
        self.assertEqual(list(self.statuses("on")), ["case_0", "case_1", "case_2"])

    def test_DeqpVkThatListsNothing(self):
        self.script([])
        arguments = [word for word in self.run_arguments() if word not in ("--mustpass", str(self.mustpass))]
        self.assertIn("lists no cases", self._do(arguments, 3, {}).stderr)


class GroupsTest(ScenarioTest):
    def test_NamesAndFronts(self):
        self.assertEqual(names(["wsi.xcb"]), ["wsi.xcb"])
        self.assertEqual(names(["wsi"]), ["wsi.headless", "wsi.wayland", "wsi.xcb", "wsi.xlib"])
        self.assertEqual(names(["synchronization"]), [f"synchronization.{part}" for part in (
            "cross_instance", "signal_order", "timeline_semaphore", "basic")])
        self.assertEqual(names(["all"]), [group.name for group in GROUPS])
        self.assertEqual(names(["wsi.xcb", "api.device_init", "wsi"]), [*names(["wsi"]), "api.device_init"])

    def test_WordThatNamesNone(self):
        for word in ("wsi.x", "synch", "fence"):
            with self.subTest(word), self.assertRaisesRegex(InputError, word):
                choose_groups([word])

    def test_NoCaseIsInTwoGroups(self):
        for case in (FENCE + "a", "dEQP-VK.synchronization2.basic.fence.one", "dEQP-VK.wsi.xcb.surface.create",
                     "dEQP-VK.memory.external_memory_acquire_unmodified.dma_buf.r8", "dEQP-VK.api.device_init.x"):
            with self.subTest(case):
                self.assertEqual(sum(group.has(case) for group in GROUPS), 1)
        for case in ("dEQP-VK.memory.allocation.basic", "dEQP-VK.synchronization.op.single_queue.x",
                     "dEQP-VK.api.external.fences.x"):
            with self.subTest(case):
                self.assertFalse(any(group.has(case) for group in GROUPS))

    def test_PatternIsAGroupWithTheSessionThatItNeeds(self):
        group, = choose_groups(["dEQP-VK.wsi.wayland.surface.*"])
        self.assertTrue(group.has("dEQP-VK.wsi.wayland.surface.create"))
        self.assertFalse(group.has("dEQP-VK.wsi.wayland.swapchain.create"))
        self.assertEqual(group.session, WAYLAND)
        self.assertRegex(choose_groups(["dEQP-VK.*.x[12]"])[0].slug, "^[A-Za-z0-9._-]+$")

    def test_Fraction(self):
        group, = choose_groups(["api.external.fence"])
        cases = fences(7)
        parts = [case_lists.cases_of_group(group, cases, (index, 3), []) for index in range(3)]
        self.assertEqual(sorted(sum(parts, [])), sorted(cases))
        self.assertEqual(parts[1], [cases[1], cases[4]])
        for text in ("3,3", "0,0", "1", "a,b", "-1,2"):
            with self.subTest(text), self.assertRaises(InputError):
                case_lists.parse_fraction(text)

    def test_Skips(self):
        group, = choose_groups(["api.external.fence"])
        left = case_lists.cases_of_group(group, fences(3), (0, 1), [re.compile("case_[01]$")])
        self.assertEqual(left, [FENCE + "case_2"])


if __name__ == "__main__":
    main()
