"""The embedded cloud's environment, and whose process is whose."""

from pathlib import Path

from local.cloud.embedded import environment_for, function_of

OUTSIDE = {
    "PATH": "/bin",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SESSION_TOKEN": "real",
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL": "https://elsewhere",
    "HTTPS_PROXY": "http://proxy:8080",
    "PYTHONPATH": "/somewhere",
    "SERVICES": "s3",
}


def test_the_cloud_sees_no_credentials_no_proxy_and_no_settings_of_the_caller():
    environment = environment_for(4000, Path("/scratch"), OUTSIDE, "INFO", 40)
    assert environment["PATH"] == "/bin"
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert environment.keys().isdisjoint(
        {"AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTPS_PROXY", "PYTHONPATH"}
    )
    assert "SERVICES" not in environment


def test_the_cloud_listens_on_loopback_only_and_keeps_its_files_together():
    environment = environment_for(4000, Path("/scratch"), {}, "INFO", 40)
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["GATEWAY_PORT"] == "4000"
    assert environment["TMPDIR"] == "/scratch"
    assert environment["IOT_MTLS_ENABLED"] == "0"
    assert environment["LAMBDA_ACCOUNT_CONCURRENCY"] == "40"


def test_a_worker_is_known_by_its_script():
    script = "/x/run-1/tmp/ministack-lambda-orders-WorkerFunction-B3E17CB-kl7x_pkk/_worker.py"
    assert function_of(f"/venv/bin/python {script}") == "orders-WorkerFunction-B3E17CB"
    assert function_of("/venv/bin/python -m local.cloud.emulator 3 /x/run-1/tmp") is None
