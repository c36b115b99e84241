"""Prints a kustomize component that sets the images of a release by digest.

`python deploy/write_release_overlay.py FOLDER…`: folders with a file for each image that contains the image's name
with its digest, such as `registry.example/shop/stockbuddy-stock@sha256:…`.
"""

import re
import sys
from pathlib import Path

IMAGES = ("auth", "catalog", "stock", "notifications", "gateway", "pgbouncer")
_IMAGE = re.compile(r"([^@\s]+)@(sha256:[0-9a-f]{64})")
HEAD = """\
# Save as deploy/kubernetes/release/kustomization.yaml, and add ../../release to the end of an overlay's components.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images:"""


def main(folders: list[Path]) -> int:
    found = {file.name: file.read_text(encoding="utf-8").strip() for folder in folders for file in folder.iterdir()}
    images = {service: _IMAGE.fullmatch(found.get(service, "")) for service in IMAGES}
    if missing := [service for service, image in images.items() if image is None]:
        print(f"No image with a digest: {', '.join(missing)}.", file=sys.stderr)
        return 1
    print(HEAD)
    for service, image in images.items():
        assert image is not None
        print(f"  - {{name: stockbuddy/{service}, newName: {image[1]}, digest: {image[2]}}}")
    return 0


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
