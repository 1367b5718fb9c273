"""Writes what operations of AWS's APIs answer, for TestState to check mocked results by.

Run with the version of botocore that the result names:

    pip install botocore==1.41.5
    python3 libs/local/scripts/api-outputs.py > libs/local/src/services/states/test-state/api-outputs.json

botocore's models are Apache-2.0. Scalars without constraints are their type's name alone.
"""
import glob
import gzip
import json
import os

import botocore

# As in ARNs of SDK integrations, and as botocore names them.
SERVICES = {
    'lambda': 'lambda', 'sqs': 'sqs', 'sns': 'sns', 'eventbridge': 'events', 'dynamodb': 'dynamodb', 'sfn': 'stepfunctions',
    's3': 's3', 'kms': 'kms', 'scheduler': 'scheduler', 'sts': 'sts', 'secretsmanager': 'secretsmanager',
}


def outputs(folder):
    newest = sorted(glob.glob(f'{os.path.dirname(botocore.__file__)}/data/{folder}/*'))[-1]
    model = json.load(gzip.open(f'{newest}/service-2.json.gz'))
    shapes, kept = model['shapes'], {}

    def reference(name):
        shape = shapes[name]
        constraints = {key: shape[key] for key in ('min', 'max', 'enum') if key in shape}
        if shape['type'] not in ('structure', 'list', 'map'):
            return {'type': shape['type'], **constraints} if constraints else shape['type']
        if name not in kept:
            kept[name] = {}
            kept[name] = described(shape, constraints)
        return f'#{name}'

    def described(shape, constraints):
        if shape['type'] == 'structure':
            members = {name: reference(member['shape']) for name, member in shape.get('members', {}).items()}
            return {'type': 'structure', 'members': members, 'required': shape.get('required', [])}
        item = shape['member' if shape['type'] == 'list' else 'value']['shape']
        return {'type': shape['type'], 'item': reference(item), **constraints}

    operations = {name: reference(op['output']['shape']) for name, op in model['operations'].items() if 'output' in op}
    return {'operations': operations, 'shapes': kept}


print(json.dumps({'botocore': botocore.__version__, 'services': {arn: outputs(f) for arn, f in SERVICES.items()}}, separators=(',', ':')))
