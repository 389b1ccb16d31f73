import { readFileSync } from 'node:fs';
import { nodeFinding } from './machine-checks';

const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  engines: { node: string };
};

describe('nodeFinding', () => {
  it.each([
    ['24.11.0', '2026-11-23', 'ok', /^Node 24\.11\.0$/],
    ['20.20.2', '2026-04-30', 'ok', /^Node 20\.20\.2$/],
    ['20.20.2', '2026-05-01', 'advice', /no security fixes since 2026-04-30/],
    ['20.18.0', '2026-01-01', 'problem', /is not one that the service is for/],
    ['23.1.0', '2026-01-01', 'problem', /is not one that the service is for/],
    ['24.10.0', '2026-01-01', 'problem', /is not one that the service is for/],
    ['30.0.0', '2030-01-01', 'ok', /^Node 30\.0\.0$/],
  ])('says of %s on %s: %s', (version, day, status, found) => {
    const finding = nodeFinding(version, engines.node, new Date(`${day}T12:00:00Z`));
    expect(finding.status).toBe(status);
    expect(finding.found).toMatch(found);
  });
});
