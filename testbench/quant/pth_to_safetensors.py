#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/pth_to_safetensors on files as torch.save writes them, and on hostile ones.

  testbench/quant/pth_to_safetensors.py SCRIPT

The pickles are written by the standard library's pickler, with stand-ins that pickle under the names
of torch's functions and storages, so that nothing of torch is needed.
"""
import collections
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import types
import unittest
import zipfile

SCRIPT = sys.argv.pop(1)


def stand_in(module, name, value):
    """A callable or class that pickles as module.name."""
    if module not in sys.modules:
        sys.modules[module] = types.ModuleType(module)
    value.__module__, value.__qualname__, value.__name__ = module, name, name
    setattr(sys.modules[module], name, value)
    return value


def rebuild_tensor(*_):
    raise AssertionError("called in the test")


FLOAT = stand_in("torch", "FloatStorage", type("FloatStorage", (), {}))
LONG = stand_in("torch", "LongStorage", type("LongStorage", (), {}))
REBUILD = stand_in("torch._utils", "_rebuild_tensor_v2", rebuild_tensor)
Stored = collections.namedtuple("Stored", "kind key count")


class Tensor:
    def __init__(self, stored, offset, shape, strides):
        self.words = (stored, offset, shape, strides, False, collections.OrderedDict())

    def __reduce__(self):
        return REBUILD, self.words


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Stored):
            return ("storage", value.kind, value.key, "cpu", value.count)
        return None


def pickled(state):
    out = io.BytesIO()
    Pickler(out, 2).dump(state)
    return out.getvalue()


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


class Conversion(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.source, self.target = (os.path.join(self.folder, n) for n in ("m.pth", "m.safetensors"))

    def write(self, pickle_bytes, storages):
        with zipfile.ZipFile(self.source, "w") as archive:
            archive.writestr("m/data.pkl", pickle_bytes)
            for key, data in storages.items():
                archive.writestr(f"m/data/{key}", data)

    def run_script(self, *prefix):
        return subprocess.run([sys.executable, SCRIPT, self.source, self.target, *prefix], timeout=60,
                              capture_output=True, text=True)

    def converted(self, *prefix):
        result = self.run_script(*prefix)
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.target, "rb") as file:
            data = file.read()
        (size,) = struct.unpack("<Q", data[:8])
        return json.loads(data[8:8 + size]), data[8 + size:]

    def assert_refused(self, reason):
        result = self.run_script()
        self.assertEqual(result.returncode, 1)
        self.assertIn(reason, result.stderr)
        self.assertIn(self.source, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.assertFalse(os.path.exists(self.target))

    def assert_tensor_refused(self, offset, shape, strides):
        self.write(pickled({"w": Tensor(Stored(FLOAT, "0", 4), offset, shape, strides)}),
                   {"0": floats(1, 2, 3, 4)})
        self.assert_refused("tensor w")

    def test_values_arrive_in_row_major_order_under_their_names(self):
        state = collections.OrderedDict()
        state["module.w"] = Tensor(Stored(FLOAT, "0", 7), 1, (2, 3), (1, 2))  # a transposed view
        state["module.n"] = Tensor(Stored(LONG, "1", 1), 0, (), ())
        self.write(pickled({"state_dict": state, "epoch": 3}),
                   {"0": floats(9, 1, 2, 3, 4, 5, 6), "1": struct.pack("<q", -7)})
        header, data = self.converted("module.")
        self.assertEqual(set(header), {"w", "n"})
        self.assertEqual((header["w"]["dtype"], header["w"]["shape"]), ("F32", [2, 3]))
        first, last = header["w"]["data_offsets"]
        self.assertEqual(data[first:last], floats(1, 3, 5, 2, 4, 6))
        self.assertEqual((header["n"]["dtype"], header["n"]["shape"]), ("I64", []))
        first, last = header["n"]["data_offsets"]
        self.assertEqual(data[first:last], struct.pack("<q", -7))

    def test_tensors_share_a_storage(self):
        stored = Stored(FLOAT, "0", 4)
        self.write(pickled({"a": Tensor(stored, 0, (2,), (1,)), "b": Tensor(stored, 2, (2,), (1,))}),
                   {"0": floats(1, 2, 3, 4)})
        header, data = self.converted()
        for name, values in (("a", floats(1, 2)), ("b", floats(3, 4))):
            first, last = header[name]["data_offsets"]
            self.assertEqual(data[first:last], values)

    def test_nothing_in_a_pickle_is_run(self):
        trace = os.path.join(self.folder, "trace")
        calls = {"os.system": (os.system, (f"touch {trace}",)), "eval": (eval, (f"open({trace!r}, 'w')",)),
                 "getattr": (getattr, (str, "upper")), "open": (open, (trace, "w"))}
        for name, call in calls.items():
            with self.subTest(name):
                hostile = type("Hostile", (), {"__reduce__": lambda _, call=call: call})()
                self.write(pickled({"w": hostile}), {})
                self.assert_refused("expected a plain state dict")
                self.assertFalse(os.path.exists(trace))

    def test_tensors_stay_in_their_storage(self):
        for offset, shape, strides in ((1, (4,), (1,)), (0, (2, 2), (4, 1)), (0, (2,), (1 << 62,)),
                                       (-1, (2,), (1,)), (0, (-2,), (1,)), (0, (2,), (-1,)), (0, (2,), ()),
                                       (0, (1.5,), (1,))):
            with self.subTest(f"{offset} {shape} {strides}"):
                self.assert_tensor_refused(offset, shape, strides)

    def test_a_repeated_element_does_not_fill_the_memory(self):
        self.assert_tensor_refused(0, (1 << 40,), (0,))

    def test_storages_have_the_size_they_claim(self):
        for count in (3, 5, -1, 1 << 60):
            with self.subTest(count):
                self.write(pickled({"w": Tensor(Stored(FLOAT, "0", count), 0, (1,), (1,))}),
                           {"0": floats(1, 2, 3, 4)})
                self.assert_refused("storage 0")

    def test_damaged_files_are_refused(self):
        whole = pickled({"w": Tensor(Stored(FLOAT, "0", 1), 0, (1,), (1,))})
        for size in range(len(whole)):
            self.write(whole[:size], {"0": floats(1)})
            if size % 16 == 0:  # a process each
                self.assert_refused("pth_to_safetensors")
        self.write(whole, {})
        self.assert_refused("data/0")
        for content in (b"", b"\x80\x02}q\x00.", b"PK\x03\x04"):
            with open(self.source, "wb") as file:
                file.write(content)
            self.assert_refused("no zip archive")
        self.write(b"\x80\x02N.", {})
        self.assert_refused("no tensors")
        self.write(b"(" * 100000 + b"l" * 100000 + b".", {})
        self.assert_refused("pth_to_safetensors")

    def test_names_begin_with_the_prefix(self):
        self.write(pickled({"w": Tensor(Stored(FLOAT, "0", 1), 0, (1,), (1,))}), {"0": floats(1)})
        result = self.run_script("module.")
        self.assertEqual(result.returncode, 1)
        self.assertIn("tensor w does not begin with module.", result.stderr)


if __name__ == "__main__":
    unittest.main()
