"""The slim image: its repository, its build, and what names it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conftest import IMAGE_STACK, STACKS
from policies import Need, allows, missing, statements_of
from template_values import TemplateValues

from stacks.common.source_code import source_files

if TYPE_CHECKING:
    from conftest import Assemblies

REPOSITORY = "arn:aws:ecr:us-east-1:111122223333:repository/text-classifier-dev-serving"
BASE = "text-classifier-dev"


def only(assemblies: Assemblies, kind: str) -> dict[str, Any]:
    """The properties of the image stack's one resource of a type, with its policies."""
    (found,) = assemblies.resources("slim", IMAGE_STACK, kind)
    return found


def tag(assemblies: Assemblies) -> str:
    """The tag that the stack builds."""
    found: str = only(assemblies, "Custom::ServingImage")["Properties"]["Tag"]
    return found


def statements(assemblies: Assemblies, name: str, stack: str, variant: str = "slim") -> list[dict[str, Any]]:
    """What a role is allowed."""
    values = TemplateValues(assemblies.template(variant, stack), [assemblies.template(variant, s) for s in STACKS])
    return statements_of(values, f"arn:aws:iam::111122223333:role/{name}")


def test_a_tag_never_moves_and_is_never_removed_by_a_rule(assemblies: Assemblies) -> None:
    """Scanned, immutable, and the one lifecycle rule is about what no package can name."""
    found = only(assemblies, "AWS::ECR::Repository")["Properties"]
    assert found["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert (found["ImageTagMutability"], found["EmptyOnDelete"]) == ("IMMUTABLE", True)
    (rule,) = json.loads(found["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["selection"]["tagStatus"] == "untagged"


def test_an_image_is_built_from_its_source_under_its_hash(assemblies: Assemblies) -> None:
    """Project, custom resource and the packages' image carry the same tag, which is the hash of the staged source."""
    project = only(assemblies, "AWS::CodeBuild::Project")["Properties"]
    (image,) = [v["Value"] for v in project["Environment"]["EnvironmentVariables"] if v["Name"] == "IMAGE"]
    assert re.fullmatch(r"[0-9a-f]{64}", tag(assemblies)) and f":{tag(assemblies)}" in str(image)
    assert f"{tag(assemblies)}.zip" in str(project["Source"]["Location"])
    packaged = assemblies.template("slim", "training")["Outputs"]["InferenceImage"]
    assert f"{BASE}-serving:{tag(assemblies)}" in str(packaged)


def test_the_source_is_what_the_dockerfile_copies(assemblies: Assemblies) -> None:
    """The staged folder is laid out as the project, without notes; a Dockerfile is in it."""
    folder = Path(assemblies.folder) / "slim" / "staged" / "serving-image"
    files = {name for name, _ in source_files(folder)}
    assert {"container/Dockerfile", "container/requirements.txt", "training_job/serving/predictor.py"} <= files
    assert not [name for name in files if name.endswith(".md")]


def test_the_push_is_skipped_after_a_failed_build(assemblies: Assemblies) -> None:
    """Both commands lie in one phase, where the first failure is the last command."""
    phases = json.loads(only(assemblies, "AWS::CodeBuild::Project")["Properties"]["Source"]["BuildSpec"])["phases"]
    build, push = phases["build"]["commands"]
    assert "build" in build and push.startswith("docker push")
    assert "post_build" not in phases


def test_the_image_is_a_docker_manifest(assemblies: Assemblies) -> None:
    """No attestation and no OCI layout, both of which SageMaker refuses."""
    spec = json.loads(only(assemblies, "AWS::CodeBuild::Project")["Properties"]["Source"]["BuildSpec"])
    words = spec["phases"]["build"]["commands"][0].split()
    assert {"--provenance=false", "--sbom=false", "type=docker"} <= set(words)


# "IAM permissions for pushing an image" in the user guide of Amazon ECR.
PUSH = ("CompleteLayerUpload", "UploadLayerPart", "InitiateLayerUpload", "BatchCheckLayerAvailability", "PutImage")


def test_the_function_outlives_the_build(assemblies: Assemblies) -> None:
    """Queue and build end before the function that waits for them has to."""
    project = only(assemblies, "AWS::CodeBuild::Project")["Properties"]
    (function,) = assemblies.resources("slim", IMAGE_STACK, "AWS::Lambda::Function")
    assert (project["TimeoutInMinutes"] + project["QueuedTimeoutInMinutes"]) * 60 < function["Properties"]["Timeout"]


def test_builder_and_waiter_touch_this_image_only(assemblies: Assemblies) -> None:
    """The build pushes to the one repository; the function starts the one project and pushes nothing."""
    build = statements(assemblies, f"{BASE}-image", IMAGE_STACK)
    wait = statements(assemblies, f"{BASE}-image-build", IMAGE_STACK)
    other = REPOSITORY.replace("dev-serving", "prod-serving")
    resources = assemblies.template("slim", IMAGE_STACK)["Resources"].items()
    values = TemplateValues(assemblies.template("slim", IMAGE_STACK), [])
    (own,) = [
        values.resolve({"Fn::GetAtt": [key, "Arn"]})
        for key, resource in resources
        if resource["Type"] == "AWS::ECR::Repository"
    ]
    assert (
        missing(
            build,
            [Need("ecr:GetAuthorizationToken", "*"), *(Need(f"ecr:{verb}", own) for verb in (*PUSH, "BatchGetImage"))],
        )
        == []
    )
    assert not allows(build, Need("ecr:PutImage", other))
    assert missing(wait, [Need("ecr:DescribeImages", own)]) == []
    assert not allows(wait, Need("ecr:PutImage", own))


def test_models_may_pull_either_container_whatever_is_configured(assemblies: Assemblies) -> None:
    """A rollback brings its package's own image, also over a change of container."""
    official = "arn:aws:ecr:us-east-1:763104351884:repository/huggingface-pytorch-inference"
    for variant in ("slim", "dev"):
        for role in (f"{BASE}-model", f"{BASE}-evidence"):
            needs = [Need("ecr:BatchGetImage", repository) for repository in (official, REPOSITORY)]
            assert missing(statements(assemblies, role, "training", variant), needs) == []


def test_the_hub_model_keeps_the_official_image(assemblies: Assemblies) -> None:
    """The stand-in is loaded by Hugging Face's toolkit, which the slim image doesn't have."""
    models = assemblies.resources("slim", "serving", "AWS::SageMaker::Model")
    (hub,) = [m["Properties"]["PrimaryContainer"] for m in models if "Image" in m["Properties"]["PrimaryContainer"]]
    assert "huggingface-pytorch-inference" in hub["Image"] and "HF_MODEL_ID" in hub["Environment"]


def test_training_comes_after_the_image(assemblies: Assemblies) -> None:
    """No package can name an image that isn't there yet."""
    manifest = json.loads((assemblies.folder / "slim" / "manifest.json").read_text())
    assert f"{BASE}-image" in manifest["artifacts"][f"{BASE}-training"]["dependencies"]


def test_the_official_container_needs_no_stack_more(assemblies: Assemblies) -> None:
    """Without `slim` nothing of CodeBuild or ECR is deployed."""
    assert not list((assemblies.folder / "dev").glob(f"*-{IMAGE_STACK}.template.json"))
