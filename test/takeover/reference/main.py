"""A backend as tutorials build it, which the service takes the place of: run by `uvicorn main:app`.

Python, because the real thing is: the tests beside it ask both the same. It has the mistakes of its
kind (see "Differences from the reference" in the README), and is to keep them.
"""

from fastapi import FastAPI

import models
import user_router
from database import engine

models.Base.metadata.create_all(bind=engine)

# A proxy takes the prefix off.
app = FastAPI(root_path="/api")
app.include_router(user_router.router)
