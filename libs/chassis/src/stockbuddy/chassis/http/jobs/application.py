"""The application that jobs call: the routes of the service, without what belongs to a connection.

A process that does only background work serves no requests and has no other application.
"""

from typing import Any

from fastapi import FastAPI

from stockbuddy.chassis.http.access_denied_audit import record_and_respond
from stockbuddy.chassis.http.errors import Forbidden, install_problem_handlers
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.runtime.repetitions import RepetitionCounter


def create_job_app(service: Service, services: Any, resources: Resources) -> FastAPI:
    """`services`: those of the service's lifespan."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    routes = [route for router in service.routers for route in router.routes]
    install_problem_handlers(app, routes)
    app.add_exception_handler(Forbidden, record_and_respond)
    app.state.denials = RepetitionCounter()
    app.state.services, app.state.resources = services, resources
    app.router.routes.extend(routes)
    return app
