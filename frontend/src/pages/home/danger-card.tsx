import { IconTrash } from '@tabler/icons-react';
import type { JSX } from 'react';
import { useDeleteAccount } from '../../api/queries';
import { Card } from '../../components/card';
import { DialogForm, FormDialog } from '../../components/form-dialog';
import { PasswordField } from '../../components/password-field';
import { ProblemAlert } from '../../components/problem-alert';
import { useServiceForm } from '../../components/use-service-form';
import { useSpeech } from '../../i18n/language';

/** The way out for good. */
export function DangerCard(): JSX.Element {
  const { t } = useSpeech();
  return (
    <Card icon={IconTrash} title={t.danger} hint={t.dangerHint} color="red">
      <FormDialog
        title={t.deleteAccount}
        button={{ fullWidth: true, variant: 'light', color: 'red' }}
      >
        {(close) => <DeleteForm close={close} />}
      </FormDialog>
    </Card>
  );
}

function DeleteForm({ close }: { readonly close: () => void }): JSX.Element {
  const { t } = useSpeech();
  const remove = useDeleteAccount();
  const { form, onSubmit } = useServiceForm(
    {
      initialValues: { password: '' },
      validate: { password: (value) => (value === '' ? t.required : null) },
    },
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
      <ProblemAlert error={remove.error} />
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
