import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { hashSync as argon2Hash, verifySync as argon2Verify } from '@node-rs/argon2';
import { compareSync as nativeVerify, hashSync as nativeHash } from 'bcrypt';
import { compareSync as javaScriptVerify } from 'bcryptjs';
import { ARGON2ID } from '../src/password/hash-format';

/** A hash and nothing else, on so many threads: what no service can do better. */
export interface Limit {
  readonly backend: 'native' | 'bcryptjs' | 'argon2id';
  readonly cost: number;
  readonly threads: number;
  readonly seconds: number;
}

function verifier({ backend, cost }: Limit): () => boolean {
  if (backend === 'argon2id') {
    const hash = argon2Hash('correct horse 9', ARGON2ID);
    return () => argon2Verify(hash, 'correct horse 8');
  }
  const hash = nativeHash('correct horse 9', cost);
  return backend === 'native'
    ? () => nativeVerify('correct horse 8', hash)
    : () => javaScriptVerify('correct horse 8', hash);
}

/** Verifications a second of one thread. */
function measure(limit: Limit): number {
  const verify = verifier(limit);
  const began = performance.now();
  const until = began + limit.seconds * 1000;
  let count = 0;
  do {
    verify();
    count += 1;
  } while (performance.now() < until);
  return count / ((performance.now() - began) / 1000);
}

if (!isMainThread) {
  // Node types it as anything: it is what the main thread of this file gives.
  parentPort?.postMessage(measure(workerData as Limit));
} else {
  // Started with fork(), it answers with verifications a second.
  process.on('message', (limit: Limit) => {
    const threads = Array.from(
      { length: limit.threads },
      () =>
        new Promise<number>((resolve, reject) => {
          const worker = new Worker(__filename, { workerData: limit, execArgv: process.execArgv });
          worker.once('message', resolve).once('error', reject);
        }),
    );
    Promise.all(threads).then(
      (rates) => process.send?.(rates.reduce((sum, rate) => sum + rate, 0)),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
