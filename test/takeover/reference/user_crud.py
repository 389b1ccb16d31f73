import os

from passlib.context import CryptContext
from sqlalchemy.orm import Session

from models import User
from user_schema import UserCreate

pwd_context = CryptContext(
    schemes=["bcrypt"],
    deprecated="auto",
    # 12 is passlib's own; tests have no time for it.
    bcrypt__rounds=int(os.environ.get("BCRYPT_ROUNDS", 12)),
)


def create_user(db: Session, user_create: UserCreate):
    db_user = User(
        username=user_create.username,
        password=pwd_context.hash(user_create.password1),
        email=user_create.email,
    )
    db.add(db_user)
    db.commit()


def get_existing_user(db: Session, user_create: UserCreate):
    return (
        db.query(User)
        .filter((User.username == user_create.username) | (User.email == user_create.email))
        .first()
    )


def get_user(db: Session, username: str):
    return db.query(User).filter(User.username == username).first()
