import { advice, type Finding, ok, problem } from './check';

/** Below, it may be the whole seconds of a header and the way to it. */
const ADVICE_S = 5;
const PROBLEM_S = 30;

/**
 * What there is to say of two clocks.
 *
 * @param seconds how much later another is than that of this machine
 * @param whose the other is
 */
export function offsetFinding(seconds: number, whose: string): Finding {
  const by = Math.abs(seconds);
  if (by < ADVICE_S) return ok(`The clocks of ${whose} and of this machine agree`);
  const found = `The clock of ${whose} is ${String(Math.round(by))} s ${seconds > 0 ? 'ahead of' : 'behind'} that of this machine`;
  const todo =
    'Set both by NTP (timedatectl): tokens, logins and limits begin and end by the clock';
  return by < PROBLEM_S ? advice(found, todo) : problem(found, todo);
}
