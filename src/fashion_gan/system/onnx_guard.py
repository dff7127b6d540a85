"""Bounds for ONNX files of any origin: on the work that opening one takes, and on the time and memory of a call."""

import functools
import math
import threading
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

from fashion_gan.arrays import Array
from fashion_gan.errors import InputError
from fashion_gan.system.protobuf import byte_fields, text
from fashion_gan.system.telemetry import import_onnxruntime

MAX_FILE_BYTES = 1 << 30
MAX_MEMORY = 1536 << 20  # bytes that drawing one or two images may take
SECONDS = 10.0  # that drawing one or two images may take
SLOWEST = 100  # times as long as the first image that each image may take, on a busy machine
MAX_NODES = 100_000  # of all functions in a file, when each call is replaced by the function's nodes

# Numbers of fields in onnx.proto.
FUNCTIONS, FUNCTION_NODES, FUNCTION_NAME, FUNCTION_DOMAIN = 25, 7, 1, 10
GRAPH, GRAPH_NODES, OPERATOR, OPERATOR_DOMAIN, ATTRIBUTES, SUBGRAPHS = 7, 1, 4, 7, 5, (6, 11)


class Guard:
    """Runs sessions. Another thread can end the calls that are running, after a time limit or for a Ctrl-C.

    Args:
        seconds_per_image: the time limit of a call grows by this for each image.
    """

    def __init__(self, seconds_per_image: float = 0.0) -> None:
        self.seconds_per_image = seconds_per_image
        self._running: dict[int, Any] = {}

    def limit(self, count: int) -> float:
        """The seconds that a call for this number of images may take."""
        return SECONDS + self.seconds_per_image * count

    def run(self, session: Any, inputs: Mapping[str, Array]) -> list[Array]:
        """Call a session, and return its outputs. Raises InputError if the call fails, or is ended by ``stop``."""
        options = import_onnxruntime().RunOptions()
        thread = threading.get_ident()
        self._running[thread] = options
        try:
            outputs: list[Array] = session.run(None, inputs, options)
            return outputs
        except errors() as error:
            raise InputError("the network fails: it takes too much memory, or does not fit its inputs") from error
        finally:
            del self._running[thread]

    def stop(self, threads: Collection[int]) -> None:
        """End the calls that run in some threads, before their next operation."""
        for thread in threads:
            options = self._running.get(thread)
            if options is not None:
                options.terminate = True

    def probe(self, session: Any, inputs: Mapping[str, Array]) -> list[Array]:
        """Call a plain session for a few images, set the time limit of later calls, and return the outputs.

        The call runs on another thread, so that a Ctrl-C reaches this one and ends the call.

        Raises:
            InputError: the call takes too long or too much memory, or fails.
        """
        start = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(self.run, session, inputs)
            try:
                outputs = call.result(SECONDS)
            except TimeoutError as error:
                raise InputError(f"the network takes over {SECONDS:.0f} seconds for a few images") from error
            finally:
                self.stop(list(self._running))
        self.seconds_per_image = SLOWEST * (time.monotonic() - start)
        return outputs


@functools.cache
def errors() -> tuple[type[Exception], ...]:
    """The exceptions of ONNX Runtime, which have no common type, and those of its binding to Python."""
    state = import_onnxruntime().capi.onnxruntime_pybind11_state
    own = [value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception)]
    return (*own, RuntimeError, ValueError, MemoryError)


def open_plain(content: bytes) -> Any:
    """Open a file of any origin, with a limit on its memory, and without optimizing it.

    An optimizer computes what does not depend on the inputs, which a file can make endless. So a file is optimized only
    after a call of the plain session has ended, see ``Guard.probe``.

    Raises:
        InputError: the file asks for too much when it is opened.
        one of ``errors()``: it is damaged.
    """
    check_functions(content)
    onnxruntime = import_onnxruntime()
    _register_bounded_memory(onnxruntime)
    options = session_options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.use_env_allocators", "1")
    return open_session(content, options)


def session_options() -> Any:
    """The options of a session that computes on one core, and that prints nothing."""
    options = import_onnxruntime().SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # Its errors become exceptions; they are not logged too.
    return options


def open_session(content: bytes, options: Any) -> Any:
    """Open a session. Without ``enable_fallback``, ONNX Runtime prints an error and tries again."""
    return import_onnxruntime().InferenceSession(
        content, options, providers=["CPUExecutionProvider"], enable_fallback=False
    )


@functools.cache
def _register_bounded_memory(onnxruntime: ModuleType) -> None:
    """Give the process a pool of memory of limited size. Only sessions that ask for it use it."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    # The pool grows by as much as is needed, and starts with 256 KB.
    settings = {"max_mem": MAX_MEMORY, "arena_extend_strategy": 1, "initial_chunk_size_bytes": 1 << 18}
    pool = onnxruntime.OrtArenaCfg(settings)
    onnxruntime.create_and_register_allocator(memory, pool)


def check_functions(content: bytes) -> None:
    """Raise InputError if a file's functions call each other so often that opening it would not end.

    ONNX Runtime replaces each call by the function's nodes. Thirty functions that call the next one twice are a
    billion nodes.
    """
    model = memoryview(content)
    functions = [value for number, value in byte_fields(model) if number == FUNCTIONS]
    if not functions:
        return
    calls = {}
    for function in functions:
        name = (text(function, FUNCTION_DOMAIN), text(function, FUNCTION_NAME))
        calls[name] = _calls(function, FUNCTION_NODES)
    sizes: dict[tuple[str, str], float] = {}

    def size(name: tuple[str, str]) -> float:
        """The number of nodes of a call. Infinite for a function that calls itself."""
        if name not in calls:
            return 1
        if name not in sizes:
            sizes[name] = math.inf
            sizes[name] = 1 + sum(map(size, calls[name]))
        return sizes[name]

    graphs = [value for number, value in byte_fields(model) if number == GRAPH]
    try:
        total = sum(size(name) for graph in graphs for name in _calls(graph, GRAPH_NODES))
    except RecursionError:
        total = math.inf
    if total > MAX_NODES:
        raise InputError(f"its functions are over {MAX_NODES:,} nodes when they are written out")


def _calls(part: memoryview, nodes: int) -> list[tuple[str, str]]:
    """The domain and the name of each operator in a graph or a function, and in the graphs of its nodes."""
    names = []
    for number, node in byte_fields(part):
        if number != nodes:
            continue
        names.append((text(node, OPERATOR_DOMAIN), text(node, OPERATOR)))
        for attribute in (value for field, value in byte_fields(node) if field == ATTRIBUTES):
            for field, graph in byte_fields(attribute):
                if field in SUBGRAPHS:
                    names += _calls(graph, GRAPH_NODES)
    return names
