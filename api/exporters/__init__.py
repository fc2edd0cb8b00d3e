"""Other tools that show a study: Optuna, MLflow and TensorBoard, each filled with one trial after another."""
