import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dataDirectory } from '../config/data-directory';
import type { Environment } from '../config/environment';
import { SECRETS } from '../config/secret-files';
import type { Settings, SettingsError } from '../config/settings';
import { weaknessOf } from '../config/signing-keys';
import { advice, type Check, type Finding, ok, problem } from './check';
import { hostOf, reachOf } from './place';

/** OWASP Password Storage Cheat Sheet. */
export const LEAST_BCRYPT_COST = 10;
/** NIST SP 800-63B-4 §3.1.1.2, for passwords that are not all there is; shorter ones are guessed. */
const LEAST_PASSWORD_LENGTH = 8;

const NEW_KEY =
  'Make one: openssl rand -hex 32. Nobody is logged out if it is brought in as docs/operations.md says, Rotate SECRET_KEY';

/** Settings with which nothing starts. */
export function badSettings({ problems }: SettingsError): Check {
  return {
    name: 'settings',
    look: () =>
      problems.map((one) =>
        problem(
          one,
          'Set it right, in the environment or .env.local: the service does not start so',
        ),
      ),
  };
}

/**
 * What is allowed, and not wise.
 *
 * @param environment that the settings are of
 * @param url where people open the page, if that is known
 */
export function settingsChecks(
  settings: Settings,
  environment: Environment,
  url: URL | undefined,
): Check[] {
  const page = url ?? (settings.PUBLIC_URL === '' ? undefined : new URL(settings.PUBLIC_URL));
  return [
    { name: 'settings', look: () => ok('The settings are such that the service starts') },
    { name: 'secret-key', look: () => keyFinding(settings) },
    { name: 'previous-key', look: () => previousKeyFinding(settings) },
    { name: 'secret-files', look: () => secretFilesFinding(settings, environment) },
    { name: 'environment', look: () => environmentFinding(settings) },
    { name: 'rate-limit', look: () => rateLimitFinding(settings) },
    { name: 'trust-proxy', look: () => proxyFinding(settings, page) },
    { name: 'public-url', look: () => publicUrlFinding(settings, url) },
    { name: 'cors', look: () => corsFinding(settings) },
    { name: 'passwords', look: () => passwordsFindings(settings) },
  ];
}

function keyFinding({ SECRET_KEY, ALLOW_WEAK_SECRET_KEY, embedded }: Settings): Finding {
  if (SECRET_KEY === '') {
    return embedded
      ? ok('SECRET_KEY was made by itself, and is kept beside the embedded database')
      : problem('SECRET_KEY is missing: the service does not start', NEW_KEY);
  }
  const weakness = weaknessOf(SECRET_KEY);
  if (weakness !== undefined) {
    return problem(
      `SECRET_KEY ${weakness}: ${ALLOW_WEAK_SECRET_KEY ? 'whoever guesses it can be anyone' : 'the service does not start'}`,
      NEW_KEY,
    );
  }
  return ALLOW_WEAK_SECRET_KEY
    ? advice(
        'SECRET_KEY is strong enough, and ALLOW_WEAK_SECRET_KEY would let another be weak',
        'Take ALLOW_WEAK_SECRET_KEY away',
      )
    : ok('SECRET_KEY is strong enough');
}

function previousKeyFinding(settings: Settings): Finding {
  if (settings.SECRET_KEY_PREVIOUS === '') return ok('No key of before is taken any more');
  const life = Math.ceil(settings.ACCESS_TOKEN_EXPIRE_MINUTES / 60);
  return advice(
    'SECRET_KEY_PREVIOUS is set: tokens that were signed with it are still taken',
    `Take it away ${String(life)} hours after the rotation, when the last of them has expired`,
  );
}

/** In a container that hands out secrets everyone may read them, and there is nobody. */
function secretFilesFinding(settings: Settings, environment: Environment): Finding {
  const named = SECRETS.map((name) => environment[`${name}_FILE`] ?? '');
  const local = join(process.cwd(), '.env.local');
  const own = settings.embedded ? [join(dataDirectory(settings), 'secret-key')] : [];
  const readable = [...named, local, ...own].filter(
    (path) => path !== '' && existsSync(path) && (statSync(path).mode & 0o004) !== 0,
  );
  return readable.length === 0
    ? ok('No file of secrets is for everyone on this machine to read')
    : advice(
        `Everyone on this machine can read ${readable.join(', ')}`,
        `chmod o= ${readable.join(' ')}`,
      );
}

function environmentFinding({ NODE_ENV, embedded }: Settings): Finding {
  if (embedded) {
    return advice(
      'This is the embedded database, for trying, developing and testing',
      'For people to rely on, set INSTANCE_HOST to a PostgreSQL server that is backed up, and NODE_ENV=production',
    );
  }
  return NODE_ENV === 'production'
    ? ok('NODE_ENV is production')
    : advice(
        `NODE_ENV is ${NODE_ENV}`,
        'Start the service by npm run start:prod, or set NODE_ENV=production: logs are lines of JSON then',
      );
}

function rateLimitFinding({ RATE_LIMIT }: Settings): Finding {
  return RATE_LIMIT
    ? ok('What can be done too often is limited')
    : problem(
        'RATE_LIMIT is off: passwords can be guessed as often as one likes',
        'Take RATE_LIMIT=off away',
      );
}

function proxyFinding({ TRUST_PROXY }: Settings, page: URL | undefined): Finding {
  if (page?.protocol === 'https:' && /^0?$/.test(TRUST_PROXY)) {
    return problem(
      `TRUST_PROXY is empty, and ${page.origin} is under TLS, which a proxy ends: to the service, all clients are one address, and cookies are not Secure`,
      'Set TRUST_PROXY to the number of proxies before the service; each has to set X-Forwarded-For and X-Forwarded-Proto',
    );
  }
  return ok(
    TRUST_PROXY === ''
      ? 'No proxy is believed'
      : `What proxies say of a client is believed: TRUST_PROXY=${TRUST_PROXY}`,
  );
}

function publicUrlFinding({ PUBLIC_URL, mail }: Settings, url: URL | undefined): Finding {
  if (PUBLIC_URL === '') {
    return mail === 'none'
      ? ok('PUBLIC_URL is empty, and no mail needs it')
      : ok('PUBLIC_URL is empty: links in mails lead to this machine');
  }
  const asked = url?.href.replace(/\/$/, '');
  if (asked !== undefined && asked !== PUBLIC_URL) {
    return problem(
      `Links in mails lead to ${PUBLIC_URL}, and not to ${asked}`,
      'Set PUBLIC_URL to where people open the page, or ask with --url for that',
    );
  }
  const { protocol } = new URL(PUBLIC_URL);
  return protocol === 'https:' || reachOf(hostOf(new URL(PUBLIC_URL))) === 'machine'
    ? ok(`Links in mails lead to ${PUBLIC_URL}`)
    : problem(
        `Links in mails lead to ${PUBLIC_URL}, without TLS: whoever is on the way can choose the password`,
        'Give the proxy a certificate (README, TLS), and PUBLIC_URL https://',
      );
}

function corsFinding({ corsOrigins }: Settings): Finding {
  const open = corsOrigins.filter(
    (origin) => origin.startsWith('http:') && reachOf(hostOf(new URL(origin))) !== 'machine',
  );
  return open.length === 0
    ? ok(
        corsOrigins.length === 0
          ? 'No page of another origin may use the API'
          : `Pages of ${corsOrigins.join(', ')} may use the API`,
      )
    : problem(
        `Pages of ${open.join(', ')} may use the API, and come without TLS: whoever is on the way can change them`,
        'Have them served under TLS, and named so in CORS_ORIGINS',
      );
}

function passwordsFindings(settings: Settings): Finding[] {
  const { PASSWORD_SCHEME, BCRYPT_COST, PASSWORD_MIN_LENGTH, PASSWORD_BLOCKLIST } = settings;
  const findings: Finding[] = [];
  if (PASSWORD_SCHEME === 'bcrypt' && BCRYPT_COST < LEAST_BCRYPT_COST) {
    findings.push(
      problem(
        `BCRYPT_COST is ${String(BCRYPT_COST)}: who gets hold of the hashes guesses the passwords quickly`,
        `Set it to 12, and to no less than ${String(LEAST_BCRYPT_COST)}; the next login of each account makes its hash anew`,
      ),
    );
  }
  if (PASSWORD_MIN_LENGTH < LEAST_PASSWORD_LENGTH || !PASSWORD_BLOCKLIST) {
    findings.push(
      advice(
        `New passwords may have ${String(PASSWORD_MIN_LENGTH)} characters, and ${PASSWORD_BLOCKLIST ? 'not be' : 'be'} common ones`,
        `Set PASSWORD_MIN_LENGTH to ${String(LEAST_PASSWORD_LENGTH)} or more, and PASSWORD_BLOCKLIST=on`,
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [
        ok(
          `Passwords are hashed by ${PASSWORD_SCHEME}${PASSWORD_SCHEME === 'bcrypt' ? `, cost ${String(BCRYPT_COST)}` : ''}`,
        ),
      ];
}
