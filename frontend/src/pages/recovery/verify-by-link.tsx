import { Box, Divider, Stack, Text, Title } from '@mantine/core';
import { type JSX, useState } from 'react';
import type { User } from '../../api/client';
import { Problem } from '../../api/problem';
import { useMe } from '../../api/queries';
import { useVerifyEmail } from '../../api/recovery';
import { ActionButton } from '../../components/action-button';
import { PasswordField } from '../../components/password-field';
import { ProblemAlert } from '../../components/problem-alert';
import { required, useServiceForm } from '../../components/use-service-form';
import { useSpeech } from '../../i18n/language';
import { fill } from '../../i18n/messages';
import { isUsedUp, nameOf } from '../../i18n/problem-words';
import { AuthPage } from '../auth-page';
import { VerifyByCode } from './verify-by-code';
import { VerifyDone } from './verify-done';

/**
 * Confirms the address that a link was sent to. What that means depends on who does it: whoever is
 * logged in, or knows the password, just confirms; whoever else reads that mail takes the account
 * over, unless it is one that is to have another address: there, nobody else can.
 */
export function VerifyByLink({
  token,
  isChange,
}: {
  readonly token: string;
  readonly isChange: boolean;
}): JSX.Element {
  const { t } = useSpeech();
  const { data: me = null } = useMe();
  const verify = useVerifyEmail(() => ({ token }));
  const byOwner = useVerifyEmail(({ password }: { password: string }) => ({ token, password }));
  const [by, setBy] = useState<User | null>(null);
  const confirm = (): void => {
    setBy(me);
    verify.mutate();
  };
  if (verify.isSuccess) return <VerifyDone by={by ?? 'stranger'} />;
  if (byOwner.isSuccess) return <VerifyDone by="owner" />;
  const problem = <ProblemAlert error={verify.error} words={{ 409: t.takenMeanwhile }} />;
  const used = [verify.error, byOwner.error].find(isUsedUp);
  if (used !== undefined) return <VerifyByCode problem={<ProblemAlert error={used} />} />;
  // Logged in, but to another account.
  if (me !== null && !isPasswordMissing(verify.error)) {
    return (
      <AuthPage
        title={t.verifyTitle}
        hint={fill(t.verifyHint, { name: me.username })}
        step="confirm"
      >
        <Stack>
          {problem}
          <ActionButton size="md" working={verify.isPending} onClick={confirm}>
            {t.confirmAddress}
          </ActionButton>
        </Stack>
      </AuthPage>
    );
  }
  return (
    <AuthPage title={t.verifyTitle} hint={t.verifyPasswordHint} step="password">
      <OwnerForm verify={byOwner} />
      {!isChange && (
        <>
          <Divider my="xl" />
          <Stack gap="sm">
            <Box>
              <Title order={2} fz={16}>
                {t.stranger}
              </Title>
              <Text size="sm" c="dimmed" mt={4}>
                {t.strangerHint}
              </Text>
            </Box>
            {problem}
            <ActionButton variant="default" px="xs" working={verify.isPending} onClick={confirm}>
              {t.confirmWithout}
            </ActionButton>
          </Stack>
        </>
      )}
    </AuthPage>
  );
}

function isPasswordMissing(error: Error | null): boolean {
  return error instanceof Problem && error.fields.some((field) => nameOf(field) === 'password');
}

function OwnerForm({
  verify,
}: {
  readonly verify: ReturnType<typeof useVerifyEmail<{ password: string }>>;
}): JSX.Element {
  const { t } = useSpeech();
  const { form, onSubmit, problem } = useServiceForm(
    { initialValues: { password: '' }, validate: { password: required } },
    verify,
    { words: { 409: t.takenMeanwhile } },
  );
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack>
        {!isUsedUp(verify.error) && problem}
        <PasswordField
          label={t.password}
          autoComplete="current-password"
          required
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        <ActionButton type="submit" size="md" mt="xs" working={verify.isPending}>
          {t.confirmAddress}
        </ActionButton>
      </Stack>
    </form>
  );
}
