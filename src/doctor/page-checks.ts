import { advice, type Check, type Finding, ok, problem } from './check';
import { offsetFinding } from './clocks';
import type { Site } from './site';
import { type Answer, isContractError } from './visit';

/** What a proxy says when there is nobody behind it. */
const NOBODY_BEHIND = [502, 503, 504];
const LOOK_BEHIND =
  'Look whether the service runs (docker compose ps; its log), and whether the proxy has its address right';
/** What a browser asks with for a page. */
const AS_BROWSER = { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };

/** The page and the API, and what comes along with their answers. */
export function pageChecks(site: Site): Check[] {
  return [
    { name: 'page', look: async (signal) => pageFinding(await site.page('/', signal, AS_BROWSER)) },
    { name: 'alive', look: () => aliveFinding(site) },
    ...(site.isService
      ? [
          {
            name: 'ready',
            look: async (signal: AbortSignal) =>
              readyFinding(await site.call('/health/ready', signal)),
          },
          {
            name: 'errors',
            look: async (signal: AbortSignal) =>
              errorsFinding(await site.call('/nothing-is-here', signal)),
          },
        ]
      : []),
    {
      name: 'headers',
      look: async (signal) => headersFindings(await site.page('/', signal, AS_BROWSER), site),
    },
    { name: 'clock', look: () => clockFinding(site) },
  ];
}

function pageFinding(answer: Answer): Finding {
  const { status } = answer;
  if (status === 200 && isPage(answer)) return ok('The page is there');
  if (NOBODY_BEHIND.includes(status)) {
    return problem(`The page is answered ${String(status)}`, LOOK_BEHIND);
  }
  return advice(
    `There is no page here (${String(status)})`,
    'If people are to use it, build it (npm run build), or have nginx serve it; an API alone has none',
  );
}

function isPage({ headers }: Answer): boolean {
  return /^text\/html\b/.test(headers['content-type'] ?? '');
}

function aliveFinding({ isService, health, api }: Site): Finding {
  if (isService) return ok(`The service lives, at ${api}`);
  return NOBODY_BEHIND.includes(health.status)
    ? problem(
        `The proxy is there, and the service behind it is not: ${api}/health/live is ${String(health.status)}`,
        LOOK_BEHIND,
      )
    : problem(
        `What answers at ${api}/health/live is not the service (${String(health.status)})`,
        'Have the proxy hand on everything below it to the service, with its path as it is; look whether --url is right',
      );
}

function readyFinding({ status }: Answer): Finding {
  return status === 200
    ? ok('It is ready: its database is there, with the schema of its version')
    : problem(
        `It lives and is not ready (${String(status)}): its database does not answer, or migrations are pending`,
        'Ask again where its settings are, without --url: that says which. If the database is well: run the migrations',
      );
}

function errorsFinding(answer: Answer): Finding {
  return answer.status === 404 && isContractError(answer)
    ? ok('Errors are in the form that clients know')
    : problem(
        `What is not there is answered ${String(answer.status)}${isContractError(answer) ? '' : ', and not as {"detail": …}'}`,
        "Let the service's own errors through: no page of the proxy's in their place (error_page, proxy_intercept_errors)",
      );
}

function headersFindings(page: Answer, { isService, health, base }: Site): Finding[] {
  const answers = [
    ...(page.status === 200 && isPage(page) ? [page] : []),
    ...(isService ? [health] : []),
  ];
  const missing = new Set(answers.flatMap((answer) => missingHeaders(answer)));
  const findings: Finding[] = [];
  if (missing.size > 0) {
    findings.push(
      problem(
        `Answers lack ${[...missing].join(', ')}`,
        'Have the proxy pass on the headers of the service, or set them as nginx.conf does; in nginx, an add_header of a location takes away all others',
      ),
    );
  }
  if (isService && health.headers['cache-control'] !== 'no-store') {
    findings.push(
      problem(
        'Answers of the API may be kept: Cache-Control is not the one of the service',
        'Let the Cache-Control of the service through, and have the proxy cache nothing of the API',
      ),
    );
  }
  const told = tellingHeaders(page);
  if (told.length > 0) {
    findings.push(
      advice(
        `Answers tell which version serves them: ${told.join(', ')}`,
        'Have the proxy keep it to itself (nginx: server_tokens off)',
      ),
    );
  }
  if (base.protocol === 'https:') findings.push(...hstsFindings(page));
  return findings.length > 0 ? findings : [ok('They keep browsers from what they should not do')];
}

function missingHeaders({ headers }: Answer): string[] {
  const policy = headers['content-security-policy'] ?? '';
  return [
    !/(^|;)\s*(default|script)-src /.test(String(policy)) && 'Content-Security-Policy',
    !String(policy).includes('frame-ancestors') &&
      headers['x-frame-options'] === undefined &&
      'X-Frame-Options',
    headers['x-content-type-options'] !== 'nosniff' && 'X-Content-Type-Options: nosniff',
    headers['referrer-policy'] === undefined && 'Referrer-Policy',
  ].filter((name) => name !== false);
}

function tellingHeaders({ headers }: Answer): string[] {
  return (['server', 'x-powered-by'] as const).flatMap((name) => {
    const value = headers[name]?.toString() ?? '';
    return /\d/.test(value) || (name === 'x-powered-by' && value !== '')
      ? [`${name}: ${value}`]
      : [];
  });
}

/** RFC 6797. */
function hstsFindings({ headers }: Answer): Finding[] {
  const [, seconds = '0'] =
    /max-age="?(\d+)/i.exec(headers['strict-transport-security'] ?? '') ?? [];
  return Number(seconds) > 0
    ? []
    : [
        advice(
          'Browsers are not told to come by TLS only (no Strict-Transport-Security)',
          'Have the proxy say Strict-Transport-Security: max-age=31536000, once you mean it for the whole host',
        ),
      ];
}

function clockFinding({ clockOffsetMs }: Site): Finding {
  if (clockOffsetMs === undefined) {
    return advice('Answers have no Date', 'Have the proxy pass it on: caches need it');
  }
  return offsetFinding(clockOffsetMs / 1000, 'the server');
}
