import { Box, Progress, Text } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { type JSX, useEffect, useState } from 'react';
import { useSpeech } from '../i18n/language';
import type { strengthOf } from '../strength';
import { PasswordField } from './password-field';
import { Say } from './say';
import { required } from './use-service-form';

export interface NewPassword extends Record<string, string> {
  password1: string;
  password2: string;
}

/** What must hold of a new password before it is worth sending; the rest is for the service to say. */
export const newPasswordRules = {
  password1: required,
  password2: (value: string, { password1 }: { password1: string }): JSX.Element | null =>
    value.normalize('NFC') === password1.normalize('NFC') ? null : <Say word="mismatch" />,
};

/** A new password, how strong it is, and the same again. */
export function NewPasswordFields<Values extends NewPassword>({
  form,
  label,
  about,
}: {
  readonly form: UseFormReturnType<Values>;
  readonly label: string;
  /** What it must not resemble. */
  readonly about: () => readonly string[];
}): JSX.Element {
  const { t } = useSpeech();
  const [password, setPassword] = useState('');
  form.watch('password1', ({ value }) => {
    setPassword(value);
  });
  const strength = useStrength(password, about);
  return (
    <>
      <Box>
        <PasswordField
          label={label}
          description={t.passwordHint}
          autoComplete="new-password"
          required
          key={form.key('password1')}
          {...form.getInputProps('password1')}
        />
        <Strength score={strength} />
      </Box>
      <PasswordField
        label={t.repeatPassword}
        autoComplete="new-password"
        required
        key={form.key('password2')}
        {...form.getInputProps('password2')}
      />
    </>
  );
}

const COLORS = ['red', 'red', 'yellow', 'teal', 'teal'] as const;

function Strength({ score }: { readonly score: number | undefined }): JSX.Element {
  const { t } = useSpeech();
  const words = score === undefined ? '' : (t.strengths[score] ?? '');
  return (
    <Box mt={6} mih={28}>
      {score !== undefined && (
        <Progress
          value={(score + 1) * 20}
          color={COLORS[score] ?? 'red'}
          size="sm"
          aria-label={t.strength}
        />
      )}
      <Text size="sm" c="dimmed" mt={4} role="status">
        {words && `${t.strength}: ${words}`}
      </Text>
    </Box>
  );
}

type Check = typeof strengthOf;
let loading: Promise<Check> | undefined;

/** From 0 to 4, as soon as there is a password and what judges it, which is large, has come. */
function useStrength(password: string, about: () => readonly string[]): number | undefined {
  const [check, setCheck] = useState<{ of: Check }>();
  const wanted = password !== '';
  useEffect(() => {
    if (!wanted) return;
    loading ??= import('../strength').then((strength) => strength.strengthOf);
    // Without it, nothing is said of the strength: the service decides anyway.
    loading.then(
      (of) => {
        setCheck({ of });
      },
      () => {
        loading = undefined;
      },
    );
  }, [wanted]);
  return wanted && check !== undefined ? check.of(password, about()) : undefined;
}
