import { checkServerIdentity } from 'node:tls';
import { advice, type Check, type Finding, ok, problem } from './check';
import { portOf, takesOldTls, type Tls } from './reach';
import type { Site } from './site';
import { hostOf, reachOf } from './place';
import { visit } from './visit';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Whoever renews by themselves do so 30 days before; who has not by then does not. */
const ADVICE_DAYS = 21;
const PROBLEM_DAYS = 7;

const RENEWED = 'Renew it, and have the proxy read it again (nginx -s reload)';

/** TLS, its certificate, and that nobody is served without. */
export function tlsChecks({ base, tls }: Site): Check[] {
  if (tls === undefined) return [{ name: 'tls', look: () => withoutTls(base) }];
  return [
    { name: 'tls', look: () => tlsFinding(base, tls) },
    { name: 'certificate', look: () => certificateFindings(hostOf(base), tls) },
    // Where another port belongs to is not known.
    ...(portOf(base) === 443
      ? [{ name: 'redirect', look: (signal: AbortSignal) => redirectFinding(base, signal) }]
      : []),
  ];
}

function withoutTls(base: URL): Finding {
  return reachOf(hostOf(base)) === 'machine'
    ? ok('No TLS, and no network to need it: this is the machine itself')
    : problem(
        'There is no TLS: whoever is on the way reads passwords and tokens',
        'Give the proxy a certificate (README, TLS), and ask with https://',
      );
}

async function tlsFinding(base: URL, { protocol }: Tls): Promise<Finding> {
  return (await takesOldTls(base))
    ? problem(
        `${protocol}, and older than TLS 1.2 is taken too`,
        'Have the proxy take TLS 1.2 and 1.3 only (nginx: ssl_protocols TLSv1.2 TLSv1.3)',
      )
    : ok(`${protocol}; nothing older than TLS 1.2 is taken`);
}

/** By OpenSSL's codes. */
const UNTRUSTED: Readonly<Record<string, readonly [found: string, todo: string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    'The certificate has signed itself: no browser takes it',
    'Get one from an authority that browsers know, such as Let’s Encrypt',
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    'The certificate is of an authority that this machine does not know',
    'If it is your own, name its certificate in NODE_EXTRA_CA_CERTS and ask again; else get one from an authority that browsers know',
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'The chain is not complete, or of an authority that this machine does not know',
    'Give the proxy the certificate with those between it and the root (fullchain.pem, not cert.pem); name an authority of your own in NODE_EXTRA_CA_CERTS',
  ],
  CERT_NOT_YET_VALID: [
    'The certificate is not valid yet, by the clock of this machine',
    'Look at the clocks (timedatectl)',
  ],
};

/** What there is to say of a certificate; for `host`. */
export function certificateFindings(host: string, { certificate, error }: Tls): Finding[] {
  const days = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / DAY_MS);
  const until = new Date(certificate.valid_to).toISOString().slice(0, 10);
  const findings: Finding[] = [];
  if (days < 0) findings.push(problem(`The certificate expired on ${until}`, RENEWED));
  else if (days < ADVICE_DAYS) {
    const found = `The certificate expires in ${String(days)} days, on ${until}`;
    findings.push(days < PROBLEM_DAYS ? problem(found, RENEWED) : advice(found, RENEWED));
  }
  if (checkServerIdentity(host, certificate) !== undefined) {
    findings.push(
      problem(
        `The certificate is not for ${host}, but for ${certificate.subjectaltname ?? 'nobody'}`,
        'Get one for this name, or have the proxy choose the right one (server_name)',
      ),
    );
  } else if (error !== undefined && error !== 'CERT_HAS_EXPIRED') {
    const [found, todo] = UNTRUSTED[error] ?? [
      `The certificate is not trusted here (${error})`,
      'Get one from an authority that browsers know, or name your own in NODE_EXTRA_CA_CERTS',
    ];
    findings.push(problem(found, todo));
  }
  return findings.length > 0
    ? findings
    : [ok(`The certificate is good for ${host} until ${until}, ${String(days)} days`)];
}

/** @param port where people come without TLS */
export async function redirectFinding(base: URL, signal: AbortSignal, port = 80): Promise<Finding> {
  const url = new URL(`http://${base.hostname}:${String(port)}${base.pathname}`);
  let answer;
  try {
    answer = await visit(url, {}, signal);
  } catch {
    return ok(`Nobody is served without TLS: nothing answers at port ${String(port)}`);
  }
  const { status, headers } = answer;
  const { location = '' } = headers;
  if (status >= 300 && status < 400 && location.startsWith(`https://${base.hostname}`)) {
    return ok(`Who comes without TLS is sent to ${location}`);
  }
  return problem(
    `Who comes without TLS, to port ${String(port)}, is answered ${String(status)}, and not sent to TLS`,
    `Have the proxy answer everything there by 308 and https://${base.hostname}, as deploy/tls.conf does`,
  );
}
