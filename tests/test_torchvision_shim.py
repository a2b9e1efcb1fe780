import os
import subprocess
import sys
import textwrap

HEALTHY = "import torch\ndeclared_before = hasattr(torch.ops.torchvision, 'nms')\n"
MIXED = """
    import torch, torchvision.early
    from torch.library import register_fake
    register_fake("torchvision::nms")(lambda dets, scores, threshold: None)
    register_fake("torchvision::qnms")(lambda dets, scores, threshold: None)
"""
BROKEN = "raise RuntimeError('CUDA versions differ')"


def run(code, folder):
    """Run ``code`` in a new Python, where ``folder`` comes before the installed packages."""
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def pretend_torchvision(folder, content):
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(textwrap.dedent(content))
    (folder / "torchvision" / "early.py").touch()


def test_a_healthy_installation_is_left_untouched(tmp_path):
    pretend_torchvision(tmp_path, HEALTHY)
    done = run(
        """
        import torch
        from maskedteeth import torchvision_shim
        torchvision = torchvision_shim.import_torchvision()
        assert not torchvision.declared_before
        assert torchvision_shim.declared is None
        assert not hasattr(torch.ops.torchvision, "nms")
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr


def test_missing_operators_are_declared_and_the_import_starts_anew(tmp_path):
    pretend_torchvision(tmp_path, MIXED)
    done = run(
        """
        import torch
        from maskedteeth import torchvision_shim
        torchvision = torchvision_shim.import_torchvision()
        assert torchvision_shim.declared is not None
        assert torch.ops.torchvision.nms and torch.ops.torchvision.qnms
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr


def test_other_troubles_of_the_import_are_not_hidden(tmp_path):
    pretend_torchvision(tmp_path, BROKEN)
    code = "from maskedteeth.torchvision_shim import import_torchvision as i; i()"
    done = run(code, tmp_path)
    assert done.returncode != 0
    assert "CUDA versions differ" in done.stderr


def test_building_a_baseline_loads_no_compiler_and_leaves_none_behind(tmp_path):
    done = run(
        """
        import sys
        from maskedteeth.models import build
        from maskedteeth.settings.config import Model
        build(Model(architecture="unet", encoder="timm-mobilenetv3_small_minimal_100"))
        assert "torch._dynamo" not in sys.modules
        import torch
        assert torch.compile(torch.sigmoid, backend="eager")(torch.zeros(1)) == 0.5
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
