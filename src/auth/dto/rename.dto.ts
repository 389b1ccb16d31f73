import { ApiProperty } from '@nestjs/swagger';
import { MAX_USERNAME_LENGTH, Username, USERNAME_DESCRIPTION } from '../../user/username';

/** Body of a change of name. */
export class RenameDto {
  @Username()
  @ApiProperty({
    maxLength: MAX_USERNAME_LENGTH,
    description: USERNAME_DESCRIPTION,
    example: 'hana.kim',
  })
  readonly username!: string;
}
