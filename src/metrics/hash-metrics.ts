import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { HashQueue } from '../password/hash-queue';

/** From argon2id, or a cheap bcrypt of tests, to a dear one on a slow machine. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What the threads that hash have to do, and how long it takes. */
@Injectable()
export class HashMetrics {
  constructor(registry: Registry, queue: HashQueue) {
    const registers = [registry];
    const gauge = (name: string, help: string, value: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    };
    gauge('user_account_hash_threads', 'Most hashes at once.', () => queue.threads);
    gauge('user_account_hash_threads_busy', 'Hashes being done.', () => queue.busy);
    gauge('user_account_hash_queue_length', 'Hashes that wait.', () => queue.length);
    gauge(
      'user_account_hash_queue_work_seconds',
      'How long a hash that came now would wait; more than HASH_QUEUE_SECONDS is refused.',
      () => queue.waitSeconds,
    );
    const refused = new Counter({
      name: 'user_account_hash_queue_refusals_total',
      help: 'Requests that were refused because too much was waiting.',
      registers,
    });
    const waited = new Histogram({
      name: 'user_account_hash_wait_seconds',
      help: 'How long hashes waited for a thread.',
      buckets: BUCKETS,
      registers,
    });
    const took = new Histogram({
      name: 'user_account_hash_duration_seconds',
      help: 'How long hashes took, made or verified.',
      labelNames: ['scheme'],
      buckets: BUCKETS,
      registers,
    });
    queue.events.on('refused', () => {
      refused.inc();
    });
    queue.events.on('done', (hash) => {
      waited.observe(hash.waited);
      took.observe({ scheme: hash.scheme }, hash.took);
    });
  }
}
