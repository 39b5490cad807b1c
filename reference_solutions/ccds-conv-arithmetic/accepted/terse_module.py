def conv_output_shape(w, h, d, k, f, s, p):
    if min(w, h, d, k, f, s) < 1 or p < 0 or f > min(w, h) + 2*p: raise ValueError
    return [(n - f + 2*p)//s + 1 for n in (w, h)] + [k]

def conv_param_count(d, k, f):
    if min(d, k, f) < 1: raise ValueError
    return k*(d*f**2 + 1)

def maxpool_output_shape(w, h, d, f, s): return conv_output_shape(w, h, d, d, f, s, 0)
