import { Alert, Button, Stack, TextInput } from '@mantine/core';
import type { JSX } from 'react';
import { useFarewell, useLogIn } from '../api/queries';
import { PasswordField } from '../components/password-field';
import { ProblemAlert } from '../components/problem-alert';
import { useServiceForm } from '../components/use-service-form';
import { useSpeech } from '../i18n/language';
import { AuthPage } from './auth-page';

export function LogInPage(): JSX.Element {
  const { t } = useSpeech();
  const logIn = useLogIn();
  const required = (value: string): string | null => (value === '' ? t.required : null);
  const { form, onSubmit } = useServiceForm(
    {
      initialValues: { username: '', password: '' },
      validate: { username: required, password: required },
    },
    logIn,
  );
  const farewell = useFarewell();
  return (
    <AuthPage
      title={t.welcome}
      hint={t.welcomeHint}
      other={{ question: t.noAccount, to: '/signup', name: t.signUp }}
    >
      <form onSubmit={onSubmit} noValidate>
        <Stack>
          {farewell !== null && logIn.isIdle && (
            <Alert variant="light" role="status">
              {t.farewell[farewell]}
            </Alert>
          )}
          <ProblemAlert error={logIn.error} />
          <TextInput
            label={t.username}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            key={form.key('username')}
            {...form.getInputProps('username')}
          />
          <PasswordField
            label={t.password}
            autoComplete="current-password"
            required
            key={form.key('password')}
            {...form.getInputProps('password')}
          />
          <Button type="submit" size="md" mt="xs" loading={logIn.isPending}>
            {logIn.isPending ? t.working : t.logIn}
          </Button>
        </Stack>
      </form>
    </AuthPage>
  );
}
