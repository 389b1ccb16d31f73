import { NewPassword, SamePassword } from '../../password/password-rules';

/** A password as it was typed twice, or came twice from a program. */
export class ChosenPasswordDto {
  @NewPassword()
  readonly password1!: string;

  @SamePassword('password1')
  readonly password2!: string;
}
