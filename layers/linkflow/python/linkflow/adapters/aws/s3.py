"""The Blobs port on S3."""

from botocore.exceptions import ClientError

from linkflow.adapters.aws.session import AwsSession, code_of


class S3Blobs:
    def __init__(self, session: AwsSession, bucket: str) -> None:
        self._session = session
        self._bucket = bucket

    async def put(self, name: str, content: bytes) -> None:
        await self._session.call("s3", "put_object", Bucket=self._bucket, Key=name, Body=content)

    async def get(self, name: str) -> bytes | None:
        def read() -> bytes:
            content: bytes = self._session.client("s3").get_object(Bucket=self._bucket, Key=name)["Body"].read()
            return content

        try:
            found: bytes = await self._session.run(read)
        except ClientError as error:
            if code_of(error) in ("NoSuchKey", "404"):
                return None
            raise
        return found

    async def delete(self, name: str) -> None:
        await self._session.call("s3", "delete_object", Bucket=self._bucket, Key=name)
