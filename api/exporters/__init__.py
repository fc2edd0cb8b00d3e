"""Exporters to other tools: Optuna, MLflow and TensorBoard, one trial after another."""
