"""Where else the same template goes: SAM, `sam local`, LocalStack."""
