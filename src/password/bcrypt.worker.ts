import { compareSync, hashSync } from 'bcryptjs';

/** One piece of work for a thread of the pool. */
export type BcryptTask =
  | { readonly name: 'hash'; readonly password: string; readonly cost: number }
  | { readonly name: 'verify'; readonly password: string; readonly hash: string };

/** Blocks its thread, which has nothing else to do; elsewhere these calls would block everyone. */
export default function bcrypt(task: BcryptTask): string | boolean {
  return task.name === 'hash'
    ? hashSync(task.password, task.cost)
    : compareSync(task.password, task.hash);
}
