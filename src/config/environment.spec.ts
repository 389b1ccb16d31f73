import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from './environment';

describe('readEnvironment', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'uas-env-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
    delete process.env['UAS_TEST_A'];
  });

  it('takes the environment before .env.local, and that before .env', () => {
    writeFileSync(join(directory, '.env'), 'UAS_TEST_A=file\nUAS_TEST_B=file\nUAS_TEST_C=file\n');
    writeFileSync(join(directory, '.env.local'), 'UAS_TEST_A=local\nUAS_TEST_B="lo cal" # why\n');
    process.env['UAS_TEST_A'] = 'process';
    expect(readEnvironment(directory)).toMatchObject({
      UAS_TEST_A: 'process',
      UAS_TEST_B: 'lo cal',
      UAS_TEST_C: 'file',
    });
  });

  it('takes an empty value for none', () => {
    writeFileSync(join(directory, '.env'), 'UAS_TEST_A=file\nUAS_TEST_B=\n');
    writeFileSync(join(directory, '.env.local'), 'UAS_TEST_A=\n');
    process.env['UAS_TEST_A'] = '';
    const environment = readEnvironment(directory);
    expect(environment['UAS_TEST_A']).toBe('file');
    expect(environment).not.toHaveProperty('UAS_TEST_B');
  });

  it('needs neither file', () => {
    process.env['UAS_TEST_A'] = 'process';
    expect(readEnvironment(directory)['UAS_TEST_A']).toBe('process');
  });
});
