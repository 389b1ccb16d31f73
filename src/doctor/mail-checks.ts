import type { Settings } from '../config/settings';
import type { ServiceDataSource } from '../database/data-source';
import { MailServer, NotSent } from '../mail/mail-server';
import { advice, type Check, type Finding, ok, problem } from './check';
import { hostOf, reachOf } from './place';

/** Mails that were to be sent so long ago are not being sent. */
const OVERDUE_MINUTES = 10;

/** Who takes the mails. */
export function mailServerCheck(settings: Settings): Check {
  return { name: 'mail-server', look: () => mailServerFindings(settings) };
}

/** What was not sent. */
export function outboxCheck(dataSource: ServiceDataSource, settings: Settings): Check {
  return { name: 'outbox', look: () => outboxFindings(dataSource, settings) };
}

async function mailServerFindings(settings: Settings): Promise<Finding[]> {
  if (settings.mail === 'kept') return [ok('Mails are not sent, and shown on this machine')];
  if (settings.mail === 'none') {
    return [
      advice(
        'There is no mail server: who forgets their password does not get in again by themselves',
        'Set SMTP_URL and PUBLIC_URL',
      ),
    ];
  }
  const url = new URL(settings.SMTP_URL);
  const findings: Finding[] = [await greetingFinding(settings, url)];
  const isPlain = url.protocol === 'smtp:' && url.password === '';
  if (isPlain && reachOf(hostOf(url)) !== 'machine') {
    findings.push(
      advice(
        'Mails may go to the mail server in the clear: with smtp:// and no password, TLS is taken only where it is offered',
        'Set SMTP_URL to smtps://: mails hold links to choose a password by',
      ),
    );
  }
  return findings;
}

async function greetingFinding(settings: Settings, { host }: URL): Promise<Finding> {
  try {
    await new MailServer(settings).greet();
    return ok(`The mail server ${host} takes mails from here`);
  } catch (error) {
    if (!(error instanceof NotSent)) throw error;
    return problem(
      `The mail server ${host} does not take mails from here (${error.code})`,
      whatToDo(error.code),
    );
  }
}

function whatToDo(code: string): string {
  if (/^5[3-5]\d/.test(code) || code === 'EAUTH') {
    return 'Look at user and password of SMTP_URL; special characters are percent-encoded';
  }
  if (code === 'ECONNREFUSED') {
    return 'Look whether it runs, and at the port of SMTP_URL. Until then mails wait, and are sent when it is back';
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EDNS') {
    return 'Look for a mistake in the host of SMTP_URL, and at the DNS';
  }
  return 'Look at its log, at the port of SMTP_URL, and whether its certificate is one that Node trusts (NODE_EXTRA_CA_CERTS)';
}

async function outboxFindings(
  dataSource: ServiceDataSource,
  { mail }: Settings,
): Promise<Finding[]> {
  const [{ dead, overdue }] = await dataSource.query<[{ dead: number; overdue: number }]>(
    `SELECT count(*) FILTER (WHERE next_attempt_at IS NULL)::int AS dead,
            count(*) FILTER (WHERE next_attempt_at < now() - make_interval(mins => $1))::int AS overdue
       FROM mail WHERE sent_at IS NULL`,
    [OVERDUE_MINUTES],
  );
  const findings: Finding[] = [];
  if (overdue > 0 && mail === 'sent') {
    findings.push(
      problem(
        `${String(overdue)} mails were to be sent ${String(OVERDUE_MINUTES)} minutes ago and more, and nobody sends them`,
        'Look whether the service runs with SMTP_URL, and at its log',
      ),
    );
  }
  if (dead > 0) {
    findings.push(
      advice(
        `${String(dead)} mails could not be sent and were given up`,
        'npm run mail -- list --dead says why; npm run mail -- retry sends them after all',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('No mail was left')];
}
