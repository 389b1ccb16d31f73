import type { Settings } from '../config/settings';
import { advice, type Check, type Finding, lookAtOnce, ok, problem, type Result } from './check';
import { exposureChecks } from './exposure';
import { pageChecks } from './page-checks';
import { type Login, proxyChecks } from './proxy-checks';
import { findWay, NoWay, type Way } from './reach';
import { Site } from './site';
import { tlsChecks } from './tls-checks';

/** Who is asked, and what is known of them. */
export interface Outside {
  /** Base of the page. */
  readonly url: URL;
  readonly login: Login | undefined;
  /** Those of the service, where they are known. */
  readonly settings: Settings | undefined;
}

/** For what has to be known before anything else can be looked at. */
const FIRST_MS = 8000;

/**
 * Looks at a deployment from outside.
 *
 * @returns what was found, and whether there is anything that answers
 */
export async function lookFromOutside(
  outside: Outside,
): Promise<{ results: readonly Result[]; reached: boolean }> {
  const signal = AbortSignal.timeout(FIRST_MS);
  try {
    const way = await findWay(outside.url);
    const site = await find(outside, way, signal);
    return { results: await lookAtOnce('outside', checksOf(outside, way, site)), reached: true };
  } catch (error) {
    const finding =
      error instanceof NoWay
        ? problem(error.message, error.todo)
        : problem(
            `HTTP: no answer (${(error as NodeJS.ErrnoException).code ?? (error as Error).name})`,
            'What listens there takes connections and does not answer requests: look at its log, and whether the port is the right one',
          );
    return { results: [{ group: 'outside', name: 'reachable', ...finding }], reached: false };
  }
}

function find({ url, settings }: Outside, { tls }: Way, signal: AbortSignal): Promise<Site> {
  const roots: [string, ...string[]] = [settings?.ROOT_PATH ?? '/api', '/api', ''];
  return Site.find(url, roots, tls, signal);
}

function checksOf({ login, settings }: Outside, way: Way, site: Site): Check[] {
  const elsewhere = redirectOf(site);
  const reachable: Check = {
    name: 'reachable',
    look: () => reachableFinding(way, site, elsewhere),
  };
  // Nothing more is to be seen of those who only say that it is elsewhere.
  if (elsewhere !== undefined) return [reachable];
  return [
    reachable,
    ...pageChecks(site),
    ...tlsChecks(site),
    ...(site.isService ? proxyChecks(site, login, settings) : []),
    ...exposureChecks(site),
  ];
}

/** The origin to which everyone is sent, if that is another. */
function redirectOf({ base, health: { status, headers } }: Site): string | undefined {
  const { location = '' } = headers;
  if (status < 300 || status > 399 || !URL.canParse(location, base.href)) return undefined;
  const { origin } = new URL(location, base);
  return origin === base.origin ? undefined : origin;
}

function reachableFinding(
  { addresses, silent }: Way,
  { base }: Site,
  elsewhere: string | undefined,
): Finding {
  if (elsewhere !== undefined) {
    return problem(
      `Everyone is sent to ${elsewhere}`,
      `Look there: --url ${elsewhere}${base.pathname}`,
    );
  }
  // Not every machine has both kinds of addresses.
  const unanswered = silent.filter(({ code }) => !/^(ENETUNREACH|EADDRNOTAVAIL)$/.test(code));
  const where = `${base.hostname} is ${addresses.join(', ')}`;
  return unanswered.length === 0
    ? ok(where)
    : advice(
        `${where}; of these, nothing answers at ${unanswered.map(({ address, code }) => `${address} (${code})`).join(', ')}`,
        'Take the address out of the DNS, or have the proxy listen there: some people try it first, and wait',
      );
}
