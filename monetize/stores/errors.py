"""What stores and their libraries raise, as an OSError that says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from monetize.errors import MonetizeError
from monetize.interruption import raise_if_interrupted
from monetize.messages import first_line
from monetize.stores.remote_path import RemotePath

# Classes of botocore, google-auth and azure-identity, which need not be installed.
CREDENTIAL_ERRORS = frozenset(
    {
        *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"),
        *("ProfileNotFound", "TokenRetrievalError", "UnauthorizedSSOTokenError"),
        *("SSOTokenLoadError", "DefaultCredentialsError", "RefreshError"),
        *("ClientAuthenticationError", "AuthenticationException"),
    }
)
# Codes of S3 that concern the credentials, not the object.
CREDENTIAL_CODES = frozenset(
    {
        *("ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"),
        *("TokenRefreshRequired", "RequestTimeTooSkewed", "AccountProblem", "NotSignedUp"),
    }
)
CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
}
# Codes of S3 for too many requests at a time.
BUSY_CODES = frozenset({"SlowDown", "TooManyRequests", "RequestLimitExceeded"})
ADDRESSES = {"s3": "the network, and AWS_ENDPOINT_URL for a store that is not Amazon's"}


@contextmanager
def explained(path: RemotePath) -> Iterator[None]:
    """Turn whatever a store's library raises in the block into an OSError.

    Its errno is ENOENT or EINVAL if other files may still be readable; others have none.
    """
    try:
        yield
    except MonetizeError:
        raise
    except Exception as error:
        raise_if_interrupted(error)
        # The libraries of the stores share no base class for their errors.
        raise _os_error(error, path.scheme) from error


def _os_error(error: Exception, scheme: str) -> OSError:
    said = first_line(getattr(error, "strerror", None) or error) or type(error).__name__
    if type(error).__name__ in CREDENTIAL_ERRORS or _code(error) in CREDENTIAL_CODES:
        way_out = CREDENTIALS.get(scheme, "see the documentation of fsspec for this kind of URL")
        return OSError(f"the credentials are missing or not accepted ({said}): {way_out}")
    if _code(error) in BUSY_CODES:
        return OSError(f"the store asks for fewer requests ({said}): try again later")
    if _code(error) == "InvalidObjectState":
        return OSError(errno.EINVAL, f"archived ({said}): restore the object first")
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(errno.ENOENT, "there is no such object or bucket")
    if isinstance(error, PermissionError):
        why = f"permission denied ({said}): the credentials in use do not allow this"
        return OSError(errno.EINVAL, why)
    if isinstance(error, NotImplementedError):
        return OSError(f"{scheme}:// cannot do that{f': {said}' if error.args else ''}")
    if isinstance(error, OSError) and error.errno == errno.EINVAL:
        return OSError(errno.EINVAL, said)
    address = ADDRESSES.get(scheme, "the network")
    return OSError(f"the store does not answer as expected ({said}): check {address}")


def _code(error: Exception) -> str:
    """The code of an answer by S3, in the error that s3fs has replaced; empty for others."""
    response = getattr(error.__cause__ or error, "response", None)
    details = response.get("Error") if isinstance(response, dict) else None
    return str(details.get("Code", "")) if isinstance(details, dict) else ""
