import type { Settings } from '../config/settings';
import { advice, type Check, type Finding, ok, problem } from './check';
import type { Site } from './site';
import { hostOf, reachOf } from './place';
import { tokenFindings } from './token-checks';
import { type Answer, formVisit, isContractError, jsonOf } from './visit';

/** Longest body that the service takes, in bytes: what comes close to it has to come through. */
const LONG_BODY_BYTES = 62_000;
const TOO_LONG_BODY_BYTES = 66_000;

/** Times that it is tried: one of several processes may not know a token of another. */
const LOGOUTS = 5;

/** Addresses that are nobody's (RFC 5737), as many as `TRUST_PROXY` may count. */
const FORGED = Array.from({ length: 9 }, (_, i) => `203.0.113.${String(i + 1)}`);

const LOGIN_MISSING =
  'Add --login and the name of an account of your own: it logs in there, looks, and logs out again';

/** An account to log in with. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/**
 * What stands between a client and the service, and what it lets through.
 *
 * @param login without one, some of it cannot be seen
 * @param settings those of the service, where they are known
 */
export function proxyChecks(
  site: Site,
  login: Login | undefined,
  settings: Settings | undefined,
): Check[] {
  return [
    { name: 'body-size', look: (signal) => bodyFindings(site, signal) },
    { name: 'cross-site', look: (signal) => crossSiteFinding(site, signal) },
    { name: 'protocol', look: (signal) => protocolFindings(site, signal) },
    {
      name: 'address',
      look: (signal) =>
        loggedIn(site, login, 'whether a client can say that it is at another address', (account) =>
          bearerFindings(site, account, settings, signal),
        ),
    },
    {
      name: 'cookies',
      look: (signal) =>
        loggedIn(site, login, 'how the cookie of a login is set', (account) =>
          cookieFindings(site, account, signal),
        ),
    },
  ];
}

/** Looks at what only a login shows, if there is an account and its password would not be overheard. */
function loggedIn(
  { base }: Site,
  login: Login | undefined,
  what: string,
  look: (login: Login) => Promise<Finding[]>,
): Finding | Promise<Finding[]> {
  if (login === undefined) return advice(`Not looked at: ${what}`, LOGIN_MISSING);
  return base.protocol === 'https:' || reachOf(hostOf(base)) === 'machine'
    ? look(login)
    : problem(
        `Not looked at: ${what}; without TLS, everyone on the way would read the password`,
        'See what is said of tls',
      );
}

/** Somebody's page of another site asks for a login: the service refuses that before anything else. */
async function askFromElsewhere(site: Site, bytes: number, signal: AbortSignal): Promise<Answer> {
  const headers = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://elsewhere.invalid' };
  return site.call('/user/session', signal, formVisit({ username: 'x'.repeat(bytes) }, headers));
}

async function bodyFindings(site: Site, signal: AbortSignal): Promise<Finding[]> {
  const { status } = await askFromElsewhere(site, LONG_BODY_BYTES, signal);
  const tooLong = await askFromElsewhere(site, TOO_LONG_BODY_BYTES, signal);
  const findings: Finding[] = [];
  if (status === 413) {
    findings.push(
      problem(
        'The proxy refuses bodies that the service would take (413 below 64 kB)',
        'Have it take 64 kB (nginx: client_max_body_size 64k)',
      ),
    );
  }
  if (tooLong.status === 413 && !isContractError(tooLong)) {
    findings.push(
      advice(
        'A body that is too large is answered 413, and not as {"detail": …}',
        'Have the proxy answer in the form of the service, as nginx.conf does',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('Bodies of up to 64 kB come through')];
}

async function crossSiteFinding(site: Site, signal: AbortSignal): Promise<Finding> {
  const { status } = await askFromElsewhere(site, 1, signal);
  return status === 403
    ? ok('Pages of other sites cannot log anybody in (403)')
    : problem(
        `A page of another site that logs somebody in is answered ${String(status)}, not 403`,
        'Let Sec-Fetch-Site and Origin through to the service',
      );
}

/**
 * Whether the service takes a page of this origin for its own. Asked with an empty form, which it
 * refuses by 422 where it does, and by 403 where it does not: neither is a login, nor counts as one.
 */
async function takesForOwn(
  site: Site,
  origin: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await site.call(
    '/user/session',
    signal,
    formVisit({}, { Origin: origin, ...headers }),
  );
  if (answer.status === 422) return true;
  if (answer.status === 403) return false;
  throw new Error(`an empty login is answered ${String(answer.status)}`);
}

async function protocolFindings(site: Site, signal: AbortSignal): Promise<Finding[]> {
  const { origin, host, protocol } = site.base;
  const isTls = protocol === 'https:';
  const other = isTls ? `http://${host}` : `https://${host}`;
  if (!(await takesForOwn(site, origin, {}, signal))) {
    if (!(await takesForOwn(site, other, {}, signal))) {
      return [
        problem(
          `The service does not know that it is ${host}: nobody can log in with a browser`,
          'Have the proxy pass on the Host as it came, with its port (nginx: proxy_set_header Host $http_host)',
        ),
      ];
    }
    return [
      isTls
        ? problem(
            'The service does not know that it is under TLS: cookies are not Secure, and browsers that send no Sec-Fetch-Site cannot log in',
            'Have the proxy set X-Forwarded-Proto (nginx: proxy_set_header X-Forwarded-Proto $scheme), and set TRUST_PROXY to the number of proxies before the service',
          )
        : problem(
            'The service takes this for TLS, which it is not: browsers do not keep its cookies',
            'Have the proxy set X-Forwarded-Proto to what the client came by (nginx: $scheme)',
          ),
    ];
  }
  const forged = isTls ? 'http' : 'https';
  return [
    (await takesForOwn(site, other, { 'X-Forwarded-Proto': forged }, signal))
      ? problem(
          `A client that says X-Forwarded-Proto: ${forged} is believed`,
          'Have the outermost proxy set it anew, whatever came (nginx: proxy_set_header X-Forwarded-Proto $scheme); without a proxy, leave TRUST_PROXY empty',
        )
      : ok(`The service knows that it is ${origin}, whatever a client says`),
  ];
}

/** Everything that is looked at with a token: a login is dear, and each is written down. */
async function bearerFindings(
  site: Site,
  login: Login,
  settings: Settings | undefined,
  signal: AbortSignal,
): Promise<Finding[]> {
  const headers = {
    'X-Forwarded-For': FORGED.join(', '),
    'X-Real-IP': FORGED[0] ?? '',
    Forwarded: `for=${FORGED[0] ?? ''}`,
  };
  const answer = await site.call('/user/login', signal, {
    ...formVisit({ ...login }, headers),
    secret: true,
  });
  if (answer.status !== 200) return [refused(answer)];
  const authorization = { Authorization: `Bearer ${textOf(jsonOf(answer), 'access_token')}` };
  const findings: Finding[] = [];
  try {
    findings.push(...(await tokenFindings(site, authorization, signal)));
    const sessions = await site.call('/user/sessions?size=100', signal, {
      headers: authorization,
      secret: true,
    });
    // Who is not let in was not told where they are: that was said.
    if (sessions.status !== 401 || findings.length === 0) {
      findings.push(believedFinding(ipOfCurrent(jsonOf(sessions)), hostOf(site.base), settings));
    }
  } finally {
    findings.push(...(await logOutFindings(site, authorization, signal)));
  }
  return findings;
}

/** Logs out, by another process where one does not know the token. */
async function logOutFindings(
  site: Site,
  authorization: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Finding[]> {
  let status = 401;
  for (let i = 0; i < LOGOUTS && status === 401; i += 1) {
    const out = { method: 'POST', headers: authorization, secret: true };
    ({ status } = await site.call('/user/logout', signal, out));
  }
  return status === 204 ? [] : [notLoggedOut('POST /user/logout', status, '')];
}

function notLoggedOut(how: string, status: number, who: string): Finding {
  return problem(
    `${how} is answered ${String(status)}, not 204: nobody can log out${who}, and the login that was made to look stays`,
    'Have the proxy let every method through, with its headers (nginx: no limit_except); end the logins of the account by npm run user -- logout',
  );
}

function believedFinding(ip: string, host: string, settings: Settings | undefined): Finding {
  if (ip === '') {
    return problem(
      'Not looked at: the service does not say where this login is (GET /user/sessions)',
      'Look at what it answers there, and whether a proxy changes that',
    );
  }
  const place = FORGED.indexOf(ip);
  const trusted = settings === undefined ? 'TRUST_PROXY' : `TRUST_PROXY=${settings.TRUST_PROXY}`;
  if (place >= 0) {
    const tooMany = String(FORGED.length - place);
    return problem(
      `A client can say that it is at another address: the last but ${tooMany} in X-Forwarded-For is believed, so that limits do not hold`,
      `Have the outermost proxy set X-Forwarded-For anew (nginx: proxy_set_header X-Forwarded-For $remote_addr); if it adds to it, ${trusted} is ${tooMany} too many`,
    );
  }
  if (reachOf(host) === 'public' && reachOf(ip) === 'machine') {
    return problem(
      `To the service, everyone is at ${ip}, which is the proxy: all share one limit`,
      `Have the proxy set X-Forwarded-For, and ${trusted} be the number of proxies before the service`,
    );
  }
  if (reachOf(host) === 'public' && reachOf(ip) !== 'public') {
    return advice(
      `To the service, this machine is at ${ip}, an address of a private network`,
      `If this machine is not in that network, everyone is there, and all share one limit: have the proxy set X-Forwarded-For, and ${trusted} be the number of proxies before the service`,
    );
  }
  return ok(`To the service, this machine is at ${ip}, whatever it says of itself`);
}

async function cookieFindings(site: Site, login: Login, signal: AbortSignal): Promise<Finding[]> {
  const own = { Origin: site.base.origin, 'Sec-Fetch-Site': 'same-origin' };
  const answer = await site.call('/user/session', signal, {
    ...formVisit({ ...login }, own),
    secret: true,
  });
  if (answer.status !== 204) return [refused(answer)];
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];
  const [pair = '', ...attributes] = cookie.split(/; */);
  const findings = [attributesFinding(pair, attributes, site.base.protocol === 'https:')];
  // A browser has nothing to send either.
  if (pair === '') return findings;
  const headers = { ...own, Cookie: pair };
  try {
    const me = await site.call('/user/me', signal, { headers, secret: true });
    if (me.status !== 200) {
      findings.push(
        problem(
          `The cookie of a login is answered ${String(me.status)}: nobody stays logged in with a browser`,
          'Have the proxy let Cookie through to the service (nginx: no proxy_set_header Cookie)',
        ),
      );
    }
  } finally {
    const out = { method: 'DELETE', headers, secret: true };
    const { status } = await site.call('/user/session', signal, out);
    if (status !== 204) {
      findings.push(notLoggedOut('DELETE /user/session', status, ' with a browser'));
    }
  }
  return findings;
}

function attributesFinding(pair: string, attributes: readonly string[], isTls: boolean): Finding {
  const [name = ''] = pair.split('=');
  const missing = [
    name !== (isTls ? '__Host-session' : 'session') &&
      `the name ${isTls ? '__Host-session' : 'session'}`,
    ...['HttpOnly', 'SameSite=Strict', 'Path=/', ...(isTls ? ['Secure'] : [])].map(
      (wanted) => !attributes.some((one) => one.toLowerCase() === wanted.toLowerCase()) && wanted,
    ),
    attributes.some((one) => /^domain=/i.test(one)) && 'no Domain',
  ].filter((one) => one !== false);
  return missing.length === 0
    ? ok(
        `The cookie of a login is as it should be: ${[name, ...attributes.filter((one) => !/^(max-age|expires)/i.test(one))].join('; ')}`,
      )
    : problem(
        `The cookie of a login lacks ${missing.join(', ')}`,
        'Let Set-Cookie through as the service says it (nginx: no proxy_cookie_path, _domain, _flags), and see what is said of protocol',
      );
}

function refused({ status }: Answer): Finding {
  const todo =
    status === 401
      ? 'Look at the username and the password: each try counts as a wrong password'
      : 'Log in with a browser, and see what that says';
  return problem(`Not looked at: the login was refused (${String(status)})`, todo);
}

/** A text of something in JSON; empty where there is none. */
function textOf(json: unknown, name: string): string {
  const value: unknown = typeof json === 'object' && json !== null ? Reflect.get(json, name) : '';
  return typeof value === 'string' ? value : '';
}

/** Where the login is that asks, as `GET /user/sessions` has it. */
function ipOfCurrent(json: unknown): string {
  const items: unknown =
    typeof json === 'object' && json !== null ? Reflect.get(json, 'items') : [];
  const current: unknown = Array.isArray(items)
    ? items.find(
        (item: unknown) =>
          typeof item === 'object' && item !== null && Reflect.get(item, 'current') === true,
      )
    : undefined;
  return textOf(current, 'ip');
}
