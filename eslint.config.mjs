import eslint from '@eslint/js';
import prettier from 'eslint-config-prettier';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/**
 * Folders that must not know others: what imports what is part of the design. That it is measured, none
 * of them knows.
 */
const boundaries = {
  'src/password': ['user', 'auth', 'session', 'limits', 'health', 'operator'],
  'src/limits': ['user', 'auth', 'session', 'password', 'health', 'operator'],
  'src/user': ['auth', 'session', 'health', 'operator'],
  'src/session': ['auth', 'password', 'limits', 'health', 'operator'],
  'src/mail': ['auth', 'session', 'password', 'limits', 'recovery', 'health', 'operator'],
  'src/recovery': ['auth', 'session', 'password', 'limits', 'health', 'operator'],
  'src/auth': ['operator'],
  'src/operator': ['cli', 'http', 'health'],
  'src/audit': ['auth', 'session', 'password', 'limits', 'recovery', 'health', 'operator'],
  'src/metrics': ['auth', 'operator'],
  'src/doctor': ['cli', 'operator'],
  'src/errors': ['user', 'auth', 'session', 'password', 'health', 'http', 'openapi'],
  'src/config': ['user', 'auth', 'session', 'password', 'health', 'http', 'database', 'errors'],
};

export default tseslint.config(
  { ignores: ['dist/', 'frontend/dist/', 'frontend/src/api/schema.d.ts', 'coverage/', '.data/'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  prettier,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.mjs', 'playwright.config.ts'] } },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only src/config/environment.ts reads it.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'CallExpression[callee.name=/^(hash|compare|genSalt)Sync$/]',
          message: 'Hashing blocks its thread: only the worker does it.',
        },
        {
          selector: 'CallExpression[callee.property.name="createQueryBuilder"]',
          message: 'Repository<Entity> and plain SQL are the two ways to the database.',
        },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-function-return-type': [
        'error',
        { allowExpressions: true, allowTypedFunctionExpressions: true },
      ],
      // Nest's modules are classes that carry nothing but their decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // A DTO is a class for its decorators; what has its shape is one.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // What is thrown to a client is thrown by libraries too, who throw what they like.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
    },
  },
  Object.entries(boundaries).map(([folder, others]) => ({
    files: [`${folder}/**/*.ts`],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [...others, 'metrics'].map((other) => `../${other}/*`),
              message: `${folder} does not know these.`,
            },
          ],
        },
      ],
    },
  })),
  {
    files: ['src/config/environment*.ts', 'test/**', 'bench/**', 'playwright.config.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['frontend/**/*.tsx', 'frontend/**/*.ts'],
    extends: [reactHooks.configs.flat.recommended],
  },
  { files: ['src/password/hash.worker.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['src/main.ts', 'src/cli/**', 'src/openapi/export.ts', 'bench/**', 'test/compose/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { '@typescript-eslint/explicit-function-return-type': 'off' },
  },
);
