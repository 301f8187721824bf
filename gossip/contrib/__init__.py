"""What ties a node to the frameworks of other people; each module needs an extra of the same name.

``starlette``
    A node beside a Starlette or FastAPI application: its lifespan, a dependency, and routes for members, events and
    health.

This room decides nothing about membership. Nothing else imports it, and importing it loads no framework.
"""
