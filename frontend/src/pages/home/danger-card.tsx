import { IconTrash } from '@tabler/icons-react';
import type { JSX } from 'react';
import type { User } from '../../api/client';
import { useDeleteAccount } from '../../api/queries';
import { Card } from '../../components/card';
import { DialogForm, FormDialog } from '../../components/form-dialog';
import { PasswordField } from '../../components/password-field';
import { required, useServiceForm } from '../../components/use-service-form';
import { UsernameForManagers } from '../../components/username-field';
import { useSpeech } from '../../i18n/language';

/** The way out for good. */
export function DangerCard({ me }: { readonly me: User }): JSX.Element {
  const { t } = useSpeech();
  return (
    <Card icon={IconTrash} title={t.danger} hint={t.dangerHint} color="red">
      <FormDialog
        title={t.deleteAccount}
        button={{ fullWidth: true, variant: 'light', color: 'red' }}
      >
        {(close) => <DeleteForm me={me} close={close} />}
      </FormDialog>
    </Card>
  );
}

function DeleteForm({ me, close }: { readonly me: User; readonly close: () => void }): JSX.Element {
  const { t } = useSpeech();
  const remove = useDeleteAccount();
  const { form, onSubmit, problem } = useServiceForm(
    { initialValues: { password: '' }, validate: { password: required } },
    remove,
  );
  return (
    <DialogForm
      hint={t.deleteConfirm}
      submit={{ name: t.deleteAccount, color: 'red.9' }}
      working={remove.isPending}
      onSubmit={onSubmit}
      close={close}
    >
      {problem}
      <UsernameForManagers username={me.username} />
      <PasswordField
        label={t.password}
        autoComplete="current-password"
        required
        data-autofocus
        key={form.key('password')}
        {...form.getInputProps('password')}
      />
    </DialogForm>
  );
}
