"""Speed and size of the classifier: load time, messages a second in batch, memory of the process.

python benchmarks/bench_classifier.py
"""

from __future__ import annotations

import resource
import time

from handlers.rights import load_rights
from nlp.classifier import MODEL, load_classifier
from nlp.corpus import load

started = time.perf_counter()
classifier = load_classifier(None, cues={right.name: right.cues for right in load_rights().values()})
print(f"load, imports included      {time.perf_counter() - started:.2f} s")
texts = [one.message for one in load()]
classifier.read_many(texts[:50])
started = time.process_time()
classifier.read_many(texts)
spent = time.process_time() - started
print(f"{len(texts)} messages in batch    {1000 * spent / len(texts):.2f} ms of CPU each")
print(f"model                       {sum(f.stat().st_size for f in MODEL.rglob('*') if f.is_file()) / 1e6:.1f} MB")
print(f"process at its largest      {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
