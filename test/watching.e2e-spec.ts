import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { bearer, form, logInWith, post, registration, signUp } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type Sample, samplesOf } from './support/exposition';
import { parseQuery, selects } from './support/promql';
import { type RunningService, startServiceOn } from './support/service';

const TOKEN = 'only-for-those-who-watch';
const ALERTS = 'deploy/prometheus/alerts.yml';
const ALERT_TESTS = 'deploy/prometheus/alerts.test.yml';
const CONFIGURATION = 'deploy/prometheus/prometheus.yml';
const DASHBOARD = 'deploy/grafana/user-account-service.json';

/** What Prometheus adds to each sample; the name of the job is that of its configuration. */
const TARGET = { job: 'user-account-service', instance: '10.0.0.1:9464' };
/** What it says of each target itself. */
const OF_PROMETHEUS: Sample = { name: 'up', labels: TARGET, value: 1 };

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook', string>>;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

const rules = (
  load(readFileSync(ALERTS, 'utf8')) as { groups: readonly { rules: readonly Rule[] }[] }
).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard;
const charts = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map((target): [string, string, string] => [title, target.expr, target.legendFormat]),
);

/** With what Grafana would put for its variables. */
function filledIn(expression: string): string {
  const values: Readonly<Record<string, string>> = {
    job: TARGET.job,
    instance: '.*',
    __rate_interval: '1m',
  };
  return expression.replace(/\$(\w+)/g, (variable, name: string) => values[name] ?? variable);
}

describe('what watches the service', () => {
  let database: TestDatabase;
  let service: RunningService;
  let exposition: string;
  let samples: Sample[];

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database, { METRICS_TOKEN: TOKEN });
    const token = await signUp(service, 'hana');
    await service.fetch('/user/create', registration('hana'));
    await service.fetch('/user/me', bearer(token));
    await service.fetch('/user/login', form({ username: 'hana', password: 'wrong' }));
    const { refresh_token = '' } = await logInWith(service, {
      username: 'hana',
      scope: 'offline_access',
    });
    await service.fetch('/user/token', form({ grant_type: 'refresh_token', refresh_token }));
    // There is no mail server: 503.
    await service.fetch('/user/password/forgot', post({ email: 'hana@example.com' }));
    const answer = await service.fetch('/metrics', bearer(TOKEN));
    exposition = await answer.text();
    samples = [
      OF_PROMETHEUS,
      ...samplesOf(exposition).map((sample) => ({
        ...sample,
        labels: { ...sample.labels, ...TARGET },
      })),
    ];
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  /** Every selector finds something, and every label that is grouped by or shown is there. */
  function expectAnswered(expression: string, shown: readonly string[] = []): void {
    const { selectors, grouping } = parseQuery(expression);
    expect(selectors).not.toEqual([]);
    const found = selectors.map((selector) => samples.filter((one) => selects(selector, one)));
    expect(found.map((some) => some.length > 0)).toEqual(selectors.map(() => true));
    const labels = new Set(found.flat().flatMap((sample) => Object.keys(sample.labels)));
    expect([...labels]).toEqual(expect.arrayContaining([...grouping, ...shown]));
  }

  it.each(rules.map(({ alert, expr }) => [alert, expr]))('is told by %s', (_alert, expression) => {
    expectAnswered(expression);
  });

  it.each(charts)('is shown: %s (%s)', (_title, expression, legend) => {
    const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    expectAnswered(filledIn(expression), shown);
  });

  it('has a dashboard whose panels stand beside each other', () => {
    const { panels, templating } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from(
        { length: w * h },
        (_cell, i) => `${String(x + (i % w))} ${String(y + Math.floor(i / w))}`,
      ),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
    expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance']);
    const variables = JSON.stringify(dashboard).match(/\$\{?\w+/g) ?? [];
    expect([...new Set(variables)].sort()).toEqual([
      '$__all',
      '$__rate_interval',
      '$instance',
      '$job',
      '${datasource',
    ]);
  });

  it('scrapes the job that the alerts are about', () => {
    const { scrape_configs: jobs } = load(readFileSync(CONFIGURATION, 'utf8')) as {
      scrape_configs: readonly { job_name: string; dns_sd_configs: readonly { port: number }[] }[];
    };
    expect(jobs.map(({ job_name: name }) => name)).toEqual([TARGET.job]);
    const compose = load(readFileSync('docker-compose.yml', 'utf8')) as {
      services: Record<string, { environment?: Record<string, unknown>; ports?: unknown }>;
    };
    const { environment, ports } = compose.services['backend'] ?? {};
    expect(jobs[0]?.dns_sd_configs[0]?.port).toBe(environment?.['METRICS_PORT']);
    // Nobody reaches it from outside.
    expect(ports).toBeUndefined();
  });

  it('has alerts that say how bad it is, and where to read on', () => {
    for (const { alert, labels, annotations } of rules) {
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(Object.keys(annotations).sort()).toEqual(['description', 'runbook', 'summary']);
      expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
    }
  });

  it('has a test of each alert, of when it fires and of when it does not', () => {
    const { tests } = load(readFileSync(ALERT_TESTS, 'utf8')) as {
      tests: readonly {
        alert_rule_test: readonly { alertname: string; exp_alerts?: readonly unknown[] }[];
      }[];
    };
    const tested = tests.flatMap((test) => test.alert_rule_test);
    const names = rules.map(({ alert }) => alert).sort();
    const of = (fires: boolean): string[] => [
      ...new Set(
        tested
          .filter(({ exp_alerts: expected }) => (expected !== undefined) === fires)
          .map(({ alertname }) => alertname),
      ),
    ];
    expect(of(true).sort()).toEqual(names);
    expect(of(false).sort()).toEqual(names);
  });

  const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
  if (!hasPromtool) {
    process.stdout.write('skipped: promtool on metrics and alerts (Prometheus is not installed)\n');
  }

  (hasPromtool ? describe : describe.skip)('promtool', () => {
    it('has nothing to say about what is exposed', () => {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: exposition,
        encoding: 'utf8',
      });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    });

    it.each([
      ['check', 'config', CONFIGURATION],
      ['check', 'rules', ALERTS],
      ['test', 'rules', ALERT_TESTS],
    ])('is content: %s %s %s', (...words) => {
      expect(execFileSync('promtool', words, { encoding: 'utf8' })).toContain('SUCCESS');
    });
  });
});
