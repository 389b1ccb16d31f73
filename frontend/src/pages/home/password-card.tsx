import { IconShieldLock } from '@tabler/icons-react';
import type { JSX } from 'react';
import type { User } from '../../api/client';
import { useChangePassword } from '../../api/queries';
import { Card } from '../../components/card';
import { DialogForm, FormDialog } from '../../components/form-dialog';
import { newPasswordRules, NewPasswordFields } from '../../components/new-password-fields';
import { PasswordField } from '../../components/password-field';
import { required, useServiceForm } from '../../components/use-service-form';
import { useNotice } from '../../components/use-notice';
import { UsernameForManagers } from '../../components/username-field';
import { useSpeech } from '../../i18n/language';

/** How I get in. */
export function PasswordCard({ me }: { readonly me: User }): JSX.Element {
  const { t } = useSpeech();
  return (
    <Card icon={IconShieldLock} title={t.security} hint={t.securityHint}>
      <FormDialog title={t.changePassword} button={{ fullWidth: true }}>
        {(close) => <ChangePasswordForm me={me} close={close} />}
      </FormDialog>
    </Card>
  );
}

function ChangePasswordForm({
  me,
  close,
}: {
  readonly me: User;
  readonly close: () => void;
}): JSX.Element {
  const { t } = useSpeech();
  const notice = useNotice();
  const change = useChangePassword();
  const { form, onSubmit, problem } = useServiceForm(
    {
      initialValues: { current_password: '', password1: '', password2: '' },
      validate: { current_password: required, ...newPasswordRules },
    },
    change,
    {
      onSuccess: () => {
        close();
        notice(t.passwordChanged);
      },
    },
  );
  return (
    <DialogForm
      hint={t.securityHint}
      submit={{ name: t.save }}
      working={change.isPending}
      onSubmit={onSubmit}
      close={close}
    >
      {problem}
      <UsernameForManagers username={me.username} />
      <PasswordField
        label={t.currentPassword}
        autoComplete="current-password"
        required
        data-autofocus
        key={form.key('current_password')}
        {...form.getInputProps('current_password')}
      />
      <NewPasswordFields form={form} label={t.newPassword} about={() => [me.username, me.email]} />
    </DialogForm>
  );
}
