import { Button, Stack, TextInput } from '@mantine/core';
import type { JSX } from 'react';
import { useSignUp } from '../api/queries';
import { NewPasswordFields, useNewPasswordRules } from '../components/new-password-fields';
import { ProblemAlert } from '../components/problem-alert';
import { useServiceForm } from '../components/use-service-form';
import { useSpeech } from '../i18n/language';
import { AuthPage } from './auth-page';

export function SignUpPage(): JSX.Element {
  const { t } = useSpeech();
  const signUp = useSignUp();
  const rules = useNewPasswordRules();
  const required = (value: string): string | null => (value === '' ? t.required : null);
  const { form, onSubmit } = useServiceForm(
    {
      initialValues: { username: '', email: '', password1: '', password2: '' },
      validate: { username: required, email: required, ...rules },
    },
    signUp,
  );
  return (
    <AuthPage
      title={t.create}
      hint={t.createHint}
      other={{ question: t.haveAccount, to: '/login', name: t.logIn }}
    >
      <form onSubmit={onSubmit} noValidate>
        <Stack>
          <ProblemAlert error={signUp.error} />
          <TextInput
            label={t.username}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            key={form.key('username')}
            {...form.getInputProps('username')}
          />
          <TextInput
            label={t.email}
            type="email"
            autoComplete="email"
            required
            key={form.key('email')}
            {...form.getInputProps('email')}
          />
          <NewPasswordFields
            form={form}
            label={t.password}
            about={() => {
              const { username, email } = form.getValues();
              return [username, email];
            }}
          />
          <Button type="submit" size="md" mt="xs" loading={signUp.isPending}>
            {signUp.isPending ? t.working : t.signUp}
          </Button>
        </Stack>
      </form>
    </AuthPage>
  );
}
