// Loaded into the service with --import, measures from inside what cannot be seen from outside, and
// tells the parent when asked: the delay of the event loop since the last time, and the memory.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';

const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
process.on('message', () => {
  process.send({
    loopP99: delay.percentile(99) / 1e6 - RESOLUTION_MS,
    rss: process.memoryUsage.rss() / 2 ** 20,
  });
  delay.reset();
});
