import { randomUUID } from 'node:crypto';
import { type Finding, problem } from './check';
import type { Site } from './site';
import type { Answer } from './visit';

/** Of two processes that take turns by chance, so many are asked that both come to answer. */
const TIMES = 5;

const CACHED =
  'Have the proxy keep nothing of the API (nginx: no proxy_cache there, and no proxy_ignore_headers of Cache-Control, Set-Cookie or Vary)';

/** What is answered to whoever asks who they are, with the token of a login and without one. */
export async function tokenFindings(
  site: Site,
  authorization: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Finding[]> {
  // Once this is answered, whoever keeps answers has it for the others, who need not wait for each other.
  const first = await askWho(site, authorization, signal);
  const [nobody, ...others] = await Promise.all([
    askWho(site, {}, signal),
    ...Array.from({ length: TIMES - 1 }, () => askWho(site, authorization, signal)),
  ]);
  const answers = [first, ...others];
  return [...takenFindings(answers), ...keptFindings(answers, nobody)];
}

/** Each time by another id, by which an answer is known again that is not for this request. */
function askWho(
  site: Site,
  authorization: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  const headers = { ...authorization, 'X-Request-Id': randomUUID() };
  return site.call('/user/me', signal, { headers, secret: true });
}

function takenFindings(answers: readonly Answer[]): Finding[] {
  const refused = answers.find(({ status }) => status !== 200);
  if (refused === undefined) return [];
  const isSome = answers.some(({ status }) => status === 200);
  if (isSome && refused.status === 401) {
    return [
      problem(
        'Some of the processes do not know the SECRET_KEY that others sign with: a token is 200 here and 401 there',
        'Give all the same SECRET_KEY, and the same SECRET_KEY_PREVIOUS while it is rotated: see docs/operations.md, Rotate SECRET_KEY',
      ),
    ];
  }
  return [
    problem(
      `The token of a login is answered ${String(refused.status)}${isSome ? ' now and then' : ''}: programs cannot use it`,
      'Have the proxy let Authorization through to the service; if several processes are behind it, give all the same SECRET_KEY',
    ),
  ];
}

function keptFindings(answers: readonly Answer[], nobody: Answer): Finding[] {
  if (nobody.status === 200) {
    return [
      problem(
        'Whoever has no token is told who somebody else is: the proxy keeps answers, and hands them to others, or logs everybody in',
        CACHED,
      ),
    ];
  }
  // Where a proxy takes it away, nothing is known by it.
  const ids = answers.map(({ headers }) => headers['x-request-id']).filter(Boolean);
  if (new Set(ids).size < ids.length) {
    return [
      problem('The proxy keeps answers: two requests with a token were answered by one', CACHED),
    ];
  }
  return nobody.status === 401
    ? []
    : [
        problem(
          `Whoever has no token is answered ${String(nobody.status)}, and not 401`,
          'Have the proxy let the answers of the service through as they are',
        ),
      ];
}
