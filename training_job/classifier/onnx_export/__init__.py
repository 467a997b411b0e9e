"""From a trained model to an int8 ONNX network: trace, rewrite, quantise, calibrate, check."""
