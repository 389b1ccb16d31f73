import { type Check, type Finding, ok, problem } from './check';
import type { Site } from './site';
import { hostOf, reachOf } from './place';
import { type Answer } from './visit';

/** What is for those who run the service, and for nobody else. */
export function exposureChecks(site: Site): Check[] {
  return [
    {
      name: 'metrics',
      look: async (signal) =>
        metricsFinding([await site.page('/metrics', signal), await site.call('/metrics', signal)]),
    },
    {
      name: 'mailbox',
      look: async (signal) =>
        mailboxFinding(
          [await site.page('/mailbox', signal), await site.call('/mailbox', signal)],
          hostOf(site.base),
        ),
    },
  ];
}

function metricsFinding(answers: readonly Answer[]): Finding {
  return answers.some(({ status, body }) => status === 200 && /^# (HELP|TYPE) /m.test(body))
    ? problem(
        'Everyone can read the metrics: how many log in, and how busy it is',
        'Give them a port of their own that only Prometheus reaches, or a token; and have the proxy not hand on /metrics',
      )
    : ok('The metrics are not for everyone');
}

function mailboxFinding(answers: readonly Answer[], host: string): Finding {
  const isOpen = answers.some(
    ({ status, body }) => status === 200 && body.includes('<title>Mailbox'),
  );
  if (!isOpen) return ok('The mailbox for trying it out is not there');
  return reachOf(host) === 'machine'
    ? ok('The mailbox for trying it out is there, on this machine')
    : problem(
        'Everyone can read every mail, and choose a password for every account (/mailbox)',
        'Take it from the network at once; set INSTANCE_HOST and SMTP_URL: the embedded database is for trying',
      );
}
